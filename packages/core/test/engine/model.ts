import assert from 'node:assert/strict'

/** What the model knows of one message in one channel. */
interface ModelMessage {
  /** `lost?`: nobody was told what became of it, so it may come or not. */
  state: 'waiting' | 'held' | 'deferred' | 'finished' | 'maybe'
  holder: number
  deadlineMs: number
  dueMs: number
  /** Wall-clock due time given by the publisher: holds over crashes. */
  publishedDueMs: number
  attempts: number
  /** Finished for good: an empty that was acknowledged. */
  emptied: boolean
}

export interface ModelDelivery {
  readonly body: string
  readonly attempts: number
}

/** One channel as NSQ's users understand it: a set of messages, each with one state. */
export class ModelChannel {
  readonly messages = new Map<string, ModelMessage>()

  /** The channel owes this message to its consumers. */
  owe(body: string, publishedDueMs: number): void {
    if (!this.messages.has(body)) this.messages.set(body, newMessage('waiting', publishedDueMs))
    const message = this.messages.get(body) as ModelMessage
    if (message.state === 'maybe') message.state = 'waiting'
  }

  /** The message may be here or not. */
  mayHave(body: string, publishedDueMs: number): void {
    if (!this.messages.has(body)) this.messages.set(body, newMessage('maybe', publishedDueMs))
  }

  /** Checks a delivery against all that is known, and takes note of it. */
  delivered(delivery: ModelDelivery, holder: number, nowMs: number, wallMs: number, msgTimeoutMs: number): void {
    const message = this.messages.get(delivery.body)
    assert.ok(message, `${delivery.body} was delivered, but nobody published it here`)
    this.expire(delivery.body, nowMs)
    assert.notEqual(message.state, 'finished', `${delivery.body} was delivered after it was finished`)
    assert.notEqual(message.state, 'held', `${delivery.body} was delivered while consumer ${message.holder} holds it`)
    if (message.state === 'deferred') assert.ok(message.dueMs <= nowMs, `${delivery.body} came before its time`)
    assert.ok(message.publishedDueMs <= wallMs, `${delivery.body} came before the time that its publisher gave`)
    assert.ok(
      delivery.attempts > message.attempts,
      `${delivery.body}: attempts ${delivery.attempts} after ${message.attempts}`,
    )
    message.state = 'held'
    message.holder = holder
    message.deadlineMs = nowMs + msgTimeoutMs
    message.attempts = delivery.attempts
  }

  expire(body: string, nowMs: number): void {
    const message = this.messages.get(body)
    if (message?.state === 'held' && message.deadlineMs <= nowMs) message.state = 'waiting'
  }

  /** The broker said that the message is finished (or not in flight with this consumer). */
  finished(body: string, holder: number, accepted: boolean, nowMs: number): void {
    const message = this.#settled(body, holder, accepted, nowMs)
    if (accepted) message.state = 'finished'
  }

  requeued(body: string, holder: number, accepted: boolean, nowMs: number, delayMs: number): void {
    const message = this.#settled(body, holder, accepted, nowMs)
    if (!accepted) return
    message.state = delayMs > 0 ? 'deferred' : 'waiting'
    message.dueMs = nowMs + delayMs
  }

  touched(body: string, holder: number, accepted: boolean, nowMs: number, msgTimeoutMs: number): void {
    const message = this.#settled(body, holder, accepted, nowMs)
    if (accepted) message.deadlineMs = nowMs + msgTimeoutMs
  }

  #settled(body: string, holder: number, accepted: boolean, nowMs: number): ModelMessage {
    this.expire(body, nowMs)
    const message = this.messages.get(body)
    assert.ok(message)
    const holds = message.state === 'held' && message.holder === holder
    assert.equal(
      accepted,
      holds,
      `${body}: the broker ${accepted ? 'accepts' : 'refuses'} consumer ${holder}, which ${holds ? 'holds' : 'does not hold'} it`,
    )
    return message
  }

  /** Everything that is certainly here is gone; what was still being stored may come. */
  emptied(pending: ReadonlySet<string>): void {
    for (const [body, message] of this.messages) {
      if (pending.has(body) && message.state === 'maybe') continue
      message.state = 'finished'
      message.emptied = true
    }
  }

  /** The node died: what was not finished comes again; what was finished may, unless that was saved. */
  crashed(): void {
    for (const message of this.messages.values()) {
      if (message.emptied) continue
      if (message.state === 'finished' || message.state === 'maybe') message.state = 'maybe'
      else message.state = 'waiting'
      message.attempts = 0
      message.dueMs = 0
    }
  }

  /** Messages that must still come. */
  get owed(): string[] {
    return [...this.messages].filter(([, { state }]) => state !== 'finished' && state !== 'maybe').map(([body]) => body)
  }
}

function newMessage(state: ModelMessage['state'], publishedDueMs: number): ModelMessage {
  return { state, holder: -1, deadlineMs: 0, dueMs: 0, publishedDueMs, attempts: 0, emptied: false }
}
