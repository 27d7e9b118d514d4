import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { buildBody, patchSerial } from '../src/body.js'
import { Connection } from '../src/connection.js'
import { Consumer } from '../src/consumer.js'
import { Holder } from '../src/holder.js'
import { complaintOf, Ledger } from '../src/ledger.js'
import { MeasuredProcess } from '../src/measure.js'
import { prepareTrain, publishPipelined } from '../src/pipelined-publisher.js'
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

  it('requeues the messages that it is told to, and finishes the others', async () => {
    const ledger = new Ledger(4, TAG, SIZE_BYTES)
    const stream = Buffer.concat([0, 1, 2, 3].map(message))
    const answered = await new Promise<string>((resolve, reject) => {
      let text = ''
      const onRead = (part: string) => {
        text += part
        if (text.split('\n').length === 5) resolve(text.slice(4))
      }
      const open = async (port: number) => {
        const connection = await Connection.open(port)
        connection.onFailure = reject
        new Consumer(connection, ledger, () => undefined, { requeueing: { every: 2, delayMs: 9000 } })
      }
      pieceByPiece(stream, stream.length, onRead).then(open).catch(reject)
    })
    const expected = [
      'FIN 0000000000000001',
      'FIN 0000000000000003',
      'REQ 0000000000000000 9000',
      'REQ 0000000000000002 9000',
    ]
    assert.deepEqual(answered.trimEnd().split('\n').sort(), expected)
    assert.equal(complaintOf(ledger.result()), null)
  })

  it('holds one message until it is told to give it back', async () => {
    const commands = await new Promise<string>((resolve, reject) => {
      let text = ''
      const onRead = (part: string) => {
        text += part
        if (text.endsWith('REQ 0000000000000007 0\n')) resolve(text.slice(4))
      }
      const open = async (port: number) => {
        const connection = await Connection.open(port)
        connection.onFailure = reject
        const holder = new Holder(connection)
        await holder.hold()
        await holder.release()
      }
      pieceByPiece(message(7), 50, onRead).then(open).catch(reject)
    })
    assert.equal(commands, 'RDY 1\nRDY 0\nREQ 0000000000000007 0\n')
  })

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
      dataPath: '',
      process: self,
      startedInMs: 0,
      loop: null,
      stop: () => Promise.resolve(),
      kill: () => Promise.resolve(),
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

/** Answers each `PUB tN` with OK, and ticks its body off in a ledger. Returns its port. */
async function takePubs(ledger: Ledger, topics: Map<string, number>): Promise<number> {
  const LINE_SIZE_BYTES = 'PUB t0\n'.length
  const COMMAND_SIZE_BYTES = LINE_SIZE_BYTES + 4 + SIZE_BYTES
  const listening = createServer((socket: Socket) => {
    sockets.push(socket)
    let input = Buffer.alloc(0)
    let at = '  V2'.length
    socket.setNoDelay(true).on('data', (data) => {
      input = Buffer.concat([input, data])
      const view = new DataView(input.buffer, input.byteOffset, input.length)
      for (; input.length - at >= COMMAND_SIZE_BYTES; at += COMMAND_SIZE_BYTES) {
        const line = input.toString('latin1', at, at + LINE_SIZE_BYTES - 1)
        topics.set(line, (topics.get(line) ?? 0) + 1)
        ledger.record(input, view, at + LINE_SIZE_BYTES + 4, SIZE_BYTES, 1)
        socket.write(frame(0, Buffer.from('OK')))
      }
    })
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return (listening.address() as AddressInfo).port
}

describe('publishing single messages in trains', () => {
  it('spreads them over the topics of its trains, and sends each of them once', async () => {
    const messageCount = 1003
    const ledger = new Ledger(messageCount, TAG, SIZE_BYTES)
    const topics = new Map<string, number>()
    const train = prepareTrain(['PUB t0', 'PUB t1', 'PUB t2', 'PUB t3'], TAG, SIZE_BYTES)
    await publishPipelined(await takePubs(ledger, topics), { messageCount, trains: [() => train] })
    assert.equal(complaintOf(ledger.result()), null)
    assert.deepEqual(Object.fromEntries(topics), { 'PUB t0': 251, 'PUB t1': 251, 'PUB t2': 251, 'PUB t3': 250 })
  })
})
