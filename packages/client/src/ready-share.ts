/** A connection that gets a part of `maxInFlight`. */
export interface ReadyTarget {
  /** What the node allows. */
  readonly readyCountMax: number
  /** What it was told last. */
  readonly readyCount: number
  /** When its last message came, or it was opened. */
  readonly lastMessageMs: number
  /** Tells it. */
  setReady(count: number): void
}

export interface ReadyShareOptions {
  /** A target whose turn it is and that has sent nothing for so long gives it up. */
  readonly idleTimeoutMs: number
  /** A target gives its turn up after that in any case. */
  readonly turnTimeoutMs: number
  readonly nowMs: () => number
  readonly random: () => number
}

/** How it goes: everything, nothing (backing off), or one test message. */
export type ReadyMode = 'full' | 'stopped' | 'probing'

interface Member {
  readonly target: ReadyTarget
  /** When its turn began. */
  readySinceMs: number
  /** When its turn ended; whoever has waited longest is next. */
  waitingSinceMs: number
}

/**
 * Divides `maxInFlight` among connections, so that the sum of their ready counts is never above it.
 *
 * With more of it than connections each gets its part. With fewer, as many as can have one message each do, and the
 * others wait for their turn: the one that has waited longest is next, so nobody starves.
 */
export class ReadyShare {
  readonly #options: ReadyShareOptions
  readonly #members = new Map<ReadyTarget, Member>()
  #maxInFlight: number
  #mode: ReadyMode = 'full'

  constructor(maxInFlight: number, options: ReadyShareOptions) {
    this.#maxInFlight = maxInFlight
    this.#options = options
  }

  get maxInFlight(): number {
    return this.#maxInFlight
  }

  set maxInFlight(count: number) {
    this.#maxInFlight = count
    this.#divide()
  }

  set mode(mode: ReadyMode) {
    this.#mode = mode
    this.#divide()
  }

  add(target: ReadyTarget): void {
    // By chance, so that consumers that start together do not all begin with the same node.
    const waitingSinceMs = this.#options.nowMs() - this.#options.random()
    this.#members.set(target, { target, readySinceMs: 0, waitingSinceMs })
    this.#divide()
  }

  remove(target: ReadyTarget): void {
    if (this.#members.delete(target)) this.#divide()
  }

  /** From time to time: whoever has had its turn gives it up to those who wait. */
  takeTurns(): void {
    const limit = this.#limit()
    if (limit === 0 || this.#members.size <= limit) return
    const nowMs = this.#options.nowMs()
    for (const member of this.#members.values()) {
      if (member.target.readyCount === 0) continue
      const idleMs = nowMs - Math.max(member.target.lastMessageMs, member.readySinceMs)
      const isOver = idleMs >= this.#options.idleTimeoutMs || nowMs - member.readySinceMs >= this.#options.turnTimeoutMs
      if (isOver) this.#set(member, 0)
    }
    this.#divide()
  }

  #limit(): number {
    if (this.#mode === 'stopped') return 0
    return this.#mode === 'probing' ? Math.min(1, this.#maxInFlight) : this.#maxInFlight
  }

  #divide(): void {
    const limit = this.#limit()
    if (this.#members.size > limit) this.#giveTurns(limit)
    else this.#giveParts(limit)
  }

  /** A message each, to those who have one already, and then to those who have waited longest. */
  #giveTurns(limit: number): void {
    const members = [...this.#members.values()]
    const holders = members
      .filter(({ target }) => target.readyCount > 0)
      .sort((a, b) => b.readySinceMs - a.readySinceMs)
    const kept = new Set(holders.slice(0, limit))
    for (const member of members) if (!kept.has(member)) this.#set(member, 0)
    for (const member of kept) this.#set(member, 1)
    const waiting = members.filter((member) => !kept.has(member)).sort((a, b) => a.waitingSinceMs - b.waitingSinceMs)
    for (const member of waiting.slice(0, limit - kept.size)) this.#set(member, 1)
  }

  /** Equal parts; what one may not have the others get. */
  #giveParts(limit: number): void {
    const members = [...this.#members.values()].sort((a, b) => a.target.readyCountMax - b.target.readyCountMax)
    let left = limit
    const parts = members.map((member, index) => {
      const part = Math.min(member.target.readyCountMax, Math.ceil(left / (members.length - index)))
      left -= part
      return { member, part }
    })
    // First who gets less, so that the sum is never above.
    for (const { member, part } of parts) if (part < member.target.readyCount) this.#set(member, part)
    for (const { member, part } of parts) this.#set(member, part)
  }

  #set(member: Member, count: number): void {
    const before = member.target.readyCount
    if (before === count) return
    const nowMs = this.#options.nowMs()
    if (before === 0) member.readySinceMs = nowMs
    if (count === 0) member.waitingSinceMs = nowMs
    member.target.setReady(count)
  }
}
