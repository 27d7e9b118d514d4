import type { EngineParts, NodeEngine } from './engine-parts.js'

/** Stands in until the engine exists. */
export function createEngine(parts: EngineParts): NodeEngine {
  const engine = {
    ...parts,
    open: () => parts.storage.open(),
    listening: () => {},
    close: () => parts.storage.close(),
  }
  return engine as unknown as NodeEngine
}
