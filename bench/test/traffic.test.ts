import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { buildBody, patchSerial } from '../src/body.js'
import { Connection } from '../src/connection.js'
import { Consumer } from '../src/consumer.js'
import { complaintOf, Ledger } from '../src/ledger.js'
import { MeasuredProcess } from '../src/measure.js'
import { startSink } from '../src/sink.js'
import type { RunningSubject } from '../src/subject.js'
import { Consuming, Publishing } from '../src/traffic.js'

const TAG = 7
const SIZE_BYTES = 100

let server: Server | null = null
const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
  server = null
})

/** A broker for one connection, which sends `bytes` in pieces and hands over what it reads. */
async function pieceByPiece(bytes: Buffer, pieceSizeBytes: number, onRead: (text: string) => void): Promise<number> {
  const listening = createServer((socket: Socket) => {
    sockets.push(socket)
    socket.setNoDelay(true).on('data', (data) => onRead(data.toString('latin1')))
    let at = 0
    const next = () => {
      if (at >= bytes.length) return
      socket.write(bytes.subarray(at, at + pieceSizeBytes), () => setImmediate(next))
      at += pieceSizeBytes
    }
    next()
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return (listening.address() as AddressInfo).port
}

function frame(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + data.length, 0)
  head.writeInt32BE(type, 4)
  return Buffer.concat([head, data])
}

function message(serial: number): Buffer {
  const body = buildBody(TAG, SIZE_BYTES)
  patchSerial(new DataView(body.buffer, body.byteOffset, body.length), 0, SIZE_BYTES, serial)
  const head = Buffer.alloc(26)
  head.writeUInt16BE(1, 8)
  head.write(String(serial).padStart(16, '0'), 10, 'latin1')
  return frame(2, Buffer.concat([head, body]))
}

describe('a consumer', () => {
  for (const pieceSizeBytes of [1, 7, 135, 1000]) {
    it(`reads frames that arrive ${pieceSizeBytes} bytes at a time, finishes each and answers heartbeats`, async () => {
      const heartbeat = frame(0, Buffer.from('_heartbeat_'))
      const stream = Buffer.concat([message(0), message(2), heartbeat, message(1), message(3)])
      const ledger = new Ledger(4, TAG, SIZE_BYTES)
      let answered = ''
      const expected = new Set([
        'FIN 0000000000000000',
        'FIN 0000000000000001',
        'FIN 0000000000000002',
        'FIN 0000000000000003',
        'NOP',
      ])
      await new Promise<void>((resolve, reject) => {
        const open = async (port: number) => {
          const connection = await Connection.open(port)
          connection.onFailure = reject
          new Consumer(connection, ledger, () => undefined)
          return connection
        }
        const onRead = (text: string) => {
          answered += text
          const lines = answered.slice(4).split('\n')
          if (lines.length === 6) resolve()
        }
        pieceByPiece(stream, pieceSizeBytes, onRead).then(open).catch(reject)
      })
      assert.equal(complaintOf(ledger.result()), null)
      assert.deepEqual(new Set(answered.slice(4).trimEnd().split('\n')), expected)
    })
  }

  it('fails with what the broker says', async () => {
    const port = await pieceByPiece(frame(1, Buffer.from('E_INVALID no')), 100, () => undefined)
    await assert.rejects(Connection.open(port, {}), /the broker answered E_INVALID no/)
  })
})

describe('traffic against the sink', () => {
  let subject: RunningSubject

  beforeEach(async () => {
    const sink = await startSink(0)
    server = sink.server
    const self = new MeasuredProcess(process.pid)
    subject = {
      tcpPort: sink.port,
      httpPort: 0,
      process: self,
      startedInMs: 0,
      loop: null,
      stop: () => Promise.resolve(),
    }
  })

  for (const batchCount of [1, 200]) {
    it(`publishes ${batchCount} at a time and receives every message on each of two channels`, async () => {
      const messageCount = 2000
      const topic = `t${batchCount}`
      const ledgers = [new Ledger(messageCount, TAG, SIZE_BYTES), new Ledger(messageCount, TAG, SIZE_BYTES)]
      const consuming = await Promise.all(
        ledgers.map((ledger, i) =>
          Consuming.open(subject, { topic, channel: `c${i}`, connectionCount: 2, ready: 2500, ledger }),
        ),
      )
      const publishing = await Publishing.open(subject, {
        topic,
        tag: TAG,
        bodySizeBytes: SIZE_BYTES,
        messageCount,
        connectionCount: 3,
        batchCount,
      })
      await publishing.run()
      await Promise.all(consuming.map((one) => one.run()))
      for (const ledger of ledgers) assert.equal(complaintOf(ledger.result()), null)
    })
  }
})
