import { parseArgs } from 'node:util'
import { startSink } from './sink.js'

const { values } = parseArgs({
  options: { version: { type: 'boolean' }, 'tcp-address': { type: 'string', default: '127.0.0.1:4150' } },
  strict: false,
})
if (values.version === true) {
  console.log('sink: answers OK, keeps nothing')
} else {
  const port = Number(String(values['tcp-address']).split(':')[1])
  await startSink(port)
  process.once('SIGTERM', () => process.exit(0))
}
