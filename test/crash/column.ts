type Cells = Uint8Array | Uint16Array | Float64Array

/** One value for each serial number, 0 until it is set; grows as serials come. */
export class Column<A extends Cells> {
  readonly #allocate: (length: number) => A
  #cells: A

  constructor(allocate: (length: number) => A) {
    this.#allocate = allocate
    this.#cells = allocate(4096)
  }

  get(serial: number): number {
    return serial < this.#cells.length ? this.#cells[serial] : 0
  }

  set(serial: number, value: number): void {
    if (serial >= this.#cells.length) {
      const grown = this.#allocate(Math.max(serial + 1, this.#cells.length * 2))
      grown.set(this.#cells)
      this.#cells = grown
    }
    this.#cells[serial] = value
  }
}

export const bytes = () => new Column((length) => new Uint8Array(length))
export const shorts = () => new Column((length) => new Uint16Array(length))
export const doubles = () => new Column((length) => new Float64Array(length))
