/** Headers as a flat list of names and values, which node:http writes out as they are. */
export type HeaderList = readonly string[]

const VERSION = ['X-NSQ-Content-Type', 'nsq; version=1.0'] as const
const TEXT = ['Content-Type', 'text/plain; charset=utf-8'] as const
const JSON_TYPE = ['Content-Type', 'application/json; charset=utf-8'] as const

export const CLOSE: HeaderList = ['Connection', 'close']
export const EMPTY: HeaderList = [...VERSION, 'Content-Length', '0']
export const OK: HeaderList = [...VERSION, ...TEXT, 'Content-Length', '2']

/** `/ping`, which says nothing of NSQ's version. */
export function plainTextHeaders(sizeBytes: number): HeaderList {
  return [...TEXT, 'Content-Length', String(sizeBytes)]
}

export function textHeaders(sizeBytes: number): HeaderList {
  return [...VERSION, ...TEXT, 'Content-Length', String(sizeBytes)]
}

/** Without a size, for JSON whose end is not known. */
export const JSON_HEADERS: HeaderList = [...VERSION, ...JSON_TYPE]

export function jsonHeaders(sizeBytes: number): HeaderList {
  return [...JSON_HEADERS, 'Content-Length', String(sizeBytes)]
}

export function redirectHeaders(location: string, sizeBytes: number): HeaderList {
  return ['Location', location, 'Content-Type', 'text/html; charset=utf-8', 'Content-Length', String(sizeBytes)]
}
