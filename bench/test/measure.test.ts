import assert from 'node:assert/strict'
import { MeasuredProcess, parseResidentBytes, parseStat } from '../src/measure.js'

describe('reading /proc', () => {
  it('finds parent and processor time behind a command name with spaces and parentheses', () => {
    const line = '4242 (a (strange) name) S 17 4242 4242 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 7 0 1000 0 0'
    assert.deepEqual(parseStat(line), { parentPid: 17, cpuMs: 3000 })
  })

  it('finds resident memory', () => {
    assert.equal(parseResidentBytes('Name:\tnode\nVmHWM:\t   900 kB\nVmRSS:\t   512 kB\nThreads:\t7\n'), 524_288)
  })

  it('measures this process', function () {
    const self = new MeasuredProcess(process.pid)
    if (Number.isNaN(self.readCpuMs())) this.skip()
    assert.ok(self.readResidentBytes() > 1e6)
  })
})
