const BYTES_PER_UNIT: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}

/** A size such as `512MiB`, `2 GB` or plain bytes. @throws Error */
export function parseSizeBytes(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmg]?i?b?)$/i.exec(text) ?? []
  const bytesPerUnit = number === undefined ? undefined : BYTES_PER_UNIT[unit.toLowerCase()]
  if (bytesPerUnit === undefined) throw new Error('expected a size such as 512MiB')
  return Math.round(Number(number) * bytesPerUnit)
}
