import { answered, bytes, type Case, type Step, sized } from '../case.js'

const create = (topic: string, ...channels: readonly string[]): Step[] => [
  { request: `POST /topic/create?topic=${topic}` },
  ...channels.map((channel) => ({ request: `POST /channel/create?topic=${topic}&channel=${channel}` })),
]
const publish = (topic: string, ...bodies: readonly string[]): Step[] =>
  bodies.map((body) => ({ request: `POST /pub?topic=${topic}`, body }))
const until = (topic: string, matches: RegExp): Step => ({
  until: `GET /stats?format=json&topic=${topic}&include_mem=false`,
  matches,
})
const consume = (topic: string, channel: string, frames: number): Step[] => [
  { connect: 'a' },
  { on: 'a', send: `  V2SUB ${topic} ${channel}\nRDY 10\n` },
  { on: 'a', frames },
]

export const topicCases: readonly Case[] = [
  {
    name: 'a first channel gets the backlog, a second only what is new',
    rows: ['topic.backlog'],
    steps: [
      ...publish('backlog-1', 'm1', 'm2'),
      ...create('backlog-1', 'first'),
      until('backlog-1', /"channel_name":"first","depth":2/),
      ...create('backlog-1', 'second'),
      ...publish('backlog-1', 'm3'),
      until('backlog-1', /"channel_name":"second","depth":1/),
      ...consume('backlog-1', 'second', 2),
    ],
  },
  {
    name: 'without its last channel a topic keeps what comes',
    rows: ['topic.last-channel'],
    steps: [
      ...create('last-1', 'c'),
      { request: 'POST /channel/delete?topic=last-1&channel=c' },
      ...publish('last-1', 'm1'),
      until('last-1', /"channels":\[\],"depth":1/),
      ...consume('last-1', 'd', 2),
    ],
  },
  {
    name: 'a paused topic',
    rows: ['pause.topic', 'http.topic.pause'],
    steps: [
      ...create('paused-1', 'c'),
      { request: 'POST /topic/pause?topic=paused-1' },
      ...publish('paused-1', 'm1'),
      until('paused-1', /"depth":1,"backend_depth":0,"message_count":1,"message_bytes":2,"paused":true/),
      { request: 'POST /topic/unpause?topic=paused-1' },
      ...consume('paused-1', 'c', 2),
    ],
  },
  {
    name: 'a paused channel',
    rows: ['pause.channel', 'http.channel.pause'],
    steps: [
      ...create('paused-2', 'c'),
      { request: 'POST /channel/pause?topic=paused-2&channel=c' },
      ...publish('paused-2', 'm1'),
      ...consume('paused-2', 'c', 1),
      until('paused-2', /"depth":1,"backend_depth":0,"in_flight_count":0/),
      { request: 'POST /channel/unpause?topic=paused-2&channel=c' },
      { on: 'a', frames: 1 },
    ],
  },
  {
    name: 'an emptied topic',
    rows: ['empty.topic', 'http.topic.empty'],
    steps: [
      ...publish('empty-1', 'm1', 'm2'),
      { request: 'POST /topic/empty?topic=empty-1' },
      ...publish('empty-1', 'm3'),
      ...consume('empty-1', 'c', 2),
    ],
  },
  {
    name: 'an emptied channel, with a message in flight',
    rows: ['empty.channel', 'http.channel.empty'],
    steps: [
      ...publish('empty-2', 'm1', 'm2'),
      { connect: 'a' },
      { on: 'a', send: '  V2SUB empty-2 c\nRDY 1\n' },
      { on: 'a', frames: 2 },
      { request: 'POST /channel/empty?topic=empty-2&channel=c' },
      { on: 'a', send: 'FIN {id:0}\n' },
      { on: 'a', frames: 1 },
      until('empty-2', /"depth":0,"backend_depth":0,"in_flight_count":0,"deferred_count":0/),
    ],
  },
  {
    name: 'a deleted topic',
    rows: ['delete.topic', 'http.topic.delete'],
    steps: [
      ...publish('delete-1', 'm1'),
      { connect: 'a' },
      { on: 'a', send: '  V2SUB delete-1 c\n' },
      { on: 'a', frames: 1 },
      { request: 'POST /topic/delete?topic=delete-1' },
      { on: 'a', rest: true },
      { request: 'POST /topic/delete?topic=delete-1' },
      { request: 'GET /stats?format=json&topic=delete-1&include_mem=false' },
    ],
  },
  {
    name: 'the producer of a topic that is deleted',
    rows: ['delete.topic', 'http.stats.filter'],
    steps: [
      ...answered(1, 'PUB delete-3\n', sized('x')),
      { request: 'POST /topic/delete?topic=delete-3' },
      { request: 'GET /stats?format=json&topic=delete-3&include_mem=false' },
    ],
  },
  {
    name: 'a deleted channel',
    rows: ['delete.channel', 'http.channel.delete'],
    steps: [
      ...create('delete-2', 'c'),
      { connect: 'a' },
      { on: 'a', send: '  V2SUB delete-2 c\n' },
      { on: 'a', frames: 1 },
      { request: 'POST /channel/delete?topic=delete-2&channel=c' },
      { on: 'a', rest: true },
      { request: 'POST /channel/delete?topic=delete-2&channel=c' },
      { request: 'GET /stats?format=json&topic=delete-2&include_mem=false' },
    ],
  },
  {
    name: 'an ephemeral channel goes with its last consumer',
    rows: ['ephemeral.channel'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: '  V2SUB fleeting-1 c#ephemeral\n' },
      { on: 'a', frames: 1 },
      { on: 'a', send: 'WHAT\n' },
      { on: 'a', rest: true },
      { on: 'a', end: true },
      until('fleeting-1', /"channels":\[\]/),
    ],
  },
  {
    name: 'an ephemeral topic goes with its last channel',
    rows: ['ephemeral.topic'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: '  V2SUB fleeting-2#ephemeral c#ephemeral\n' },
      { on: 'a', frames: 1 },
      { on: 'a', send: 'WHAT\n' },
      { on: 'a', rest: true },
      { on: 'a', end: true },
      { until: 'GET /stats?format=json&topic=fleeting-2%23ephemeral&include_mem=false', matches: /"topics":null/ },
    ],
  },
  {
    name: 'a full ephemeral topic says OK and drops',
    rows: ['ephemeral.full'],
    flags: ['--mem-queue-size=2'],
    steps: [
      ...answered(5, ...Array.from({ length: 5 }, (_, index) => bytes('PUB full#ephemeral\n', sized(`m${index}`)))),
      { request: 'GET /stats?format=json&topic=full%23ephemeral&include_mem=false&include_clients=false' },
    ],
  },
]
