import { existsSync } from 'node:fs'

/** Runs the function `name` of a compiled module, and exits with what it returns. */
export async function launch(name, module) {
  if (!existsSync(module)) {
    process.stderr.write(`${name}: Spillway is not built here yet; run: npm run build\n`)
    process.exit(1)
  }
  const program = await import(module)
  process.exit(await program[name](process.argv.slice(2)))
}
