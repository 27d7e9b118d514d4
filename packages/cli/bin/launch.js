import { existsSync } from 'node:fs'
import { giveMemoryBack } from './allocator.js'

/** Runs the function `name` of a compiled module, a broker, and exits with what it returns. */
export async function launch(name, module) {
  requireBuilt(name, module)
  giveMemoryBack()
  await run(name, module, name)
}

/** Runs the function `main` of a compiled module, a tool, and exits with what it returns. */
export async function launchTool(name, module) {
  requireBuilt(name, module)
  await run(name, module, 'main')
}

function requireBuilt(name, module) {
  if (existsSync(module)) return
  process.stderr.write(
    `${name}: Spillway is not built here yet; run: npm ci\n` +
      'It builds, which takes the compiler: not with --omit=dev. What only building takes goes afterwards with: npm prune --omit=dev\n',
  )
  process.exit(1)
}

async function run(name, module, exported) {
  // Without this, a promise that never settles would end the program without a word.
  // The first time is left to those who can say more, and it comes again.
  let isLastTime = false
  process.on('beforeExit', () => {
    if (!isLastTime) {
      isLastTime = true
      setImmediate(() => {})
      return
    }
    process.stderr.write(`${name}: nothing is left to wait for, and it has not finished: a plugin never answered\n`)
    process.exit(1)
  })
  const program = await import(module)
  process.exit(await program[exported](process.argv.slice(2)))
}
