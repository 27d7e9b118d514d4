import { RefusalLog } from '@spillway/core'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import { V1Session } from '../../src/protocol/v1-session.js'
import { RegistrationDatabase } from '../../src/registrations/registration-database.js'
import { join, MAGIC, parseAnswers } from './bytes.js'

export const DESCRIPTION = '{"broadcast_address":"me"}'

/** A session without a socket, on a database of its own. */
export class TestSession {
  readonly clock = new FakeClock()
  readonly logger = new TestLogger()
  readonly database: RegistrationDatabase
  readonly session: V1Session
  isEnded = false
  #written = Buffer.alloc(0)

  constructor(countMax = 1_000) {
    const { clock, logger } = this
    this.database = new RegistrationDatabase({ clock, countMax })
    const service = {
      database: this.database,
      clock,
      logger,
      refusals: new RefusalLog(clock, logger),
      describe: () => DESCRIPTION,
    }
    const write = (bytes: Buffer): void => {
      if (this.isEnded) throw new Error('written after the end')
      this.#written = Buffer.concat([this.#written, bytes])
    }
    const end = (): void => {
      this.isEnded = true
    }
    this.session = new V1Session(service, { write, end }, '127.0.0.1:50000')
  }

  /** Sends in one piece. */
  send(...parts: readonly (string | Buffer)[]): this {
    this.session.read(join(...parts))
    return this
  }

  get answers(): string[] {
    return parseAnswers(this.#written)
  }
}

/** What is answered to a conversation after the magic, and whether that ends it. */
export function played(...parts: readonly (string | Buffer)[]): { answers: string[]; isEnded: boolean } {
  const { answers, isEnded } = new TestSession().send(MAGIC, ...parts)
  return { answers, isEnded }
}
