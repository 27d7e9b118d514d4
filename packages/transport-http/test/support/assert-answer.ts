import assert from 'node:assert/strict'
import type { Answer } from './http-client.js'

const VERSION = 'nsq; version=1.0'

/** An error as nsqd words it, with all its headers. */
export function assertError(answer: Answer, status: number, code: string): void {
  assert.deepEqual([answer.status, answer.text], [status, `{"message":"${code}"}`])
  assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
  assert.equal(answer.headers['x-nsq-content-type'], VERSION)
}

/** 200 with `OK`. */
export function assertOk(answer: Answer): void {
  assert.deepEqual([answer.status, answer.text], [200, 'OK'])
  assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(answer.headers['x-nsq-content-type'], VERSION)
}

/** 200 with nothing, not even a type. */
export function assertEmpty(answer: Answer): void {
  assert.deepEqual([answer.status, answer.text], [200, ''])
  assert.equal(answer.headers['content-type'], undefined)
  assert.equal(answer.headers['content-length'], '0')
  assert.equal(answer.headers['x-nsq-content-type'], VERSION)
}
