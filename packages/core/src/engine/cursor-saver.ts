import type { CursorUpdate } from '../contracts/log-store.js'
import type { Sequence } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'

/** Finishes that may be unsaved; then nothing more goes out until the cursor was saved. */
const UNSAVED_MAX = 10_000

const NO_PAGES: ReadonlyMap<number, unknown> = new Map()

/** What a cursor saver needs of its channel. */
export interface SavedChannel {
  readonly name: string
  readonly floor: Sequence
  /** Everything that has changed since this was last asked. */
  takeCursorUpdate(): CursorUpdate
  /** These pages of a save that failed must come with the next one. */
  cursorUpdateFailed(pages: Iterable<number>): void
  /** Stores an update; null when this channel's cursor is not kept. */
  storeCursor(update: CursorUpdate): void | Promise<void>
  /** {@link CursorSaver.save} is wanted soon. */
  saveWanted(): void
  /** The saved floor has moved, and dispatch may go on. */
  cursorSaved(): void
}

/**
 * Writes a channel's cursor behind its finishes, within a bound: a crash brings back at most that many finished messages,
 * plus what was in flight. One save is under way at a time; one that failed is tried again.
 */
export class CursorSaver {
  readonly #channel: SavedChannel
  /** Everything below is finished, and a crash does not change that. */
  savedFloor: Sequence
  #unsavedCount = 0
  #dirty = false
  #saving: Promise<void> | null = null
  /** The pages of the save that is under way. */
  #savingPages: ReadonlyMap<number, unknown> = NO_PAGES
  #closed = false
  #failureCount = 0

  constructor(channel: SavedChannel, savedFloor: Sequence) {
    this.#channel = channel
    this.savedFloor = savedFloor
  }

  /** Something about the cursor has changed. */
  touch(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#channel.saveWanted()
  }

  finished(): void {
    this.#unsavedCount++
    this.touch()
  }

  /** Whether more may go out; at the bound it tries to save at once. */
  mayDispatch(): boolean {
    if (this.#unsavedCount < UNSAVED_MAX) return true
    this.save()
    return this.#unsavedCount < UNSAVED_MAX
  }

  /** Saves if there is anything to save and no save is under way. */
  save(): void {
    if (this.#saving !== null || !this.#dirty || this.#closed) return
    this.#dirty = false
    const { floor } = this.#channel
    const unsavedCount = this.#unsavedCount
    const update = this.#channel.takeCursorUpdate()
    this.#savingPages = update.pages
    const done = (): void => {
      this.#saving = null
      this.#savingPages = NO_PAGES
      this.savedFloor = floor
      this.#unsavedCount -= unsavedCount
      if (this.#dirty) this.#channel.saveWanted()
      this.#channel.cursorSaved()
    }
    const failed = (): void => {
      this.#saving = null
      this.#savingPages = NO_PAGES
      this.#failureCount++
      this.#channel.cursorUpdateFailed(update.pages.keys())
      this.#dirty = true
      this.#channel.saveWanted()
    }
    try {
      const saving = this.#channel.storeCursor(update)
      if (saving === undefined) done()
      else this.#saving = saving.then(done, failed)
    } catch {
      failed()
    }
  }

  /** Whether a page is being saved: what it says is not safe yet. */
  isSaving(page: number): boolean {
    return this.#savingPages.has(page)
  }

  /** Resolves when everything that has happened so far is saved. @throws BrokerError `E_STORAGE_IO` when saving fails. */
  async saved(): Promise<void> {
    if (this.#saving !== null) await this.#saving
    if (!this.#dirty || this.#closed) return
    const failureCount = this.#failureCount
    this.save()
    if (this.#saving !== null) await this.#saving
    if (this.#failureCount === failureCount) return
    throw new BrokerError('E_STORAGE_IO', `cursor of channel ${this.#channel.name} could not be saved`)
  }

  /** The channel is deleted: nothing is saved any more. */
  close(): void {
    this.#closed = true
  }
}
