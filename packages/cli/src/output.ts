/** Where a program writes; a test's own, or the process's. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

export const PROCESS_OUTPUT: Output = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
}
