/** What ends a tool with exit code 1; its text is for the user, one line. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}
