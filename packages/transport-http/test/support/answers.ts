import assert from 'node:assert/strict'

export interface ParsedAnswer {
  readonly status: number
  readonly body: string
}

const HEAD = /^HTTP\/1\.1 (\d{3}) [A-Za-z -]+\r\n((?:[A-Za-z-]+: [^\r\n]*\r\n)*)\r\n/

/** Takes apart everything that a server sent on one connection. Fails unless it is whole answers, one after the other. */
export function parseAnswers(text: string): ParsedAnswer[] {
  const answers: ParsedAnswer[] = []
  for (let rest = text; rest !== ''; ) {
    const match = HEAD.exec(rest)
    assert.ok(match, `not an answer: ${JSON.stringify(rest.slice(0, 200))}`)
    const [head, status, headers] = match
    const length = /^content-length: (\d+)\r$/im.exec(headers)?.[1]
    // Node itself answers a request without Host, with an empty chunked body.
    const body = length === undefined ? '' : rest.slice(head.length, head.length + Number(length))
    const skipped = /^transfer-encoding: chunked\r$/im.test(headers) ? '0\r\n\r\n'.length : body.length
    if (length !== undefined) assert.equal(body.length, Number(length), 'an answer is cut off')
    answers.push({ status: Number(status), body })
    rest = rest.slice(head.length + skipped)
  }
  return answers
}
