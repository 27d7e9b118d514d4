import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** `npm run test:differential [-- --record]` */
const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url))
const config = fileURLToPath(new URL('../../differential/mocharc.json', import.meta.url))
const env = process.argv.includes('--record') ? { ...process.env, SPILLWAY_RECORD: '1' } : process.env
const { status } = spawnSync(process.execPath, [mocha, '--config', config], { stdio: 'inherit', env })
process.exitCode = status ?? 1
