import { type RunRequest, run } from './run.js'

/** A process that measures one library; the request comes, and the result goes, over the channel to its parent. */
process.once('message', (request: RunRequest) => {
  void measured(request)
})

async function measured(request: RunRequest): Promise<void> {
  try {
    const library =
      request.library === 'spillway'
        ? (await import('./spillway-library.js')).spillwayLibrary
        : (await import('./nsqjs-library.js')).nsqjsLibrary
    process.send?.({ result: await run(library, request) })
  } catch (error) {
    process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
  process.disconnect()
}
