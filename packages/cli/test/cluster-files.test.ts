import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { spillway } from '../src/spillway/main.js'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const FOLDER = join(ROOT, 'config/cluster')
const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')

/** Where the Dockerfile puts the configuration of a broker. */
const CONTAINER_CONFIG = '/etc/spillway/container.json'
const CONTAINER_DATA = '/var/lib/spillway'
const CONTAINER_PORTS = [4150, 4151]

const executables: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(ROOT, 'packages/cli/package.json'), 'utf8'),
).bin

/** Runs `spillway check` with the environment that a file is meant for. @returns what it printed */
async function check(name: string, env: Readonly<Record<string, string>>, ...options: string[]): Promise<string> {
  const before = { ...process.env }
  const folder = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  const text: string[] = []
  try {
    const path = join(folder, basename(name))
    writeFileSync(path, read(name))
    Object.assign(process.env, env)
    const output = { out: (line: string) => text.push(line), err: (line: string) => text.push(line) }
    assert.equal(await spillway(['check', '--config', path, ...options], output), 0, text.join(''))
    return text.join('').replace(path, name)
  } finally {
    for (const key of Object.keys(env)) delete process.env[key]
    Object.assign(process.env, before)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A command of ours in a container. */
function requireOurCommand([name, ...args]: readonly string[]): void {
  assert.ok(name in executables, `${name} is an executable`)
  if (name === 'spillway') {
    assert.deepEqual(args, ['start', '--config', CONTAINER_CONFIG])
    return
  }
  const program = join(ROOT, 'packages/cli', executables[name])
  const { stdout, stderr } = spawnSync(process.execPath, [program, '--help'], { encoding: 'utf8' })
  for (const arg of args) assert.ok(`${stdout}${stderr}`.includes(arg.split('=')[0].slice(1)), `${name} has ${arg}`)
}

describe('the configurations in config/cluster/', () => {
  for (const number of [1, 2, 3]) {
    it(`broker-${number}.json passes spillway check, and has the addresses of node-${number} of nodes.json`, async () => {
      const name = `broker-${number}.json`
      assert.equal(await check(name, {}), `${name}: ok\n`)
      const port = 4050 + 100 * number
      const { transports, node, ...rest } = JSON.parse(read(name))
      assert.deepEqual(
        transports.map(({ options }: { options: { address: string } }) => options.address),
        [`0.0.0.0:${port}`, `0.0.0.0:${port + 1}`],
      )
      assert.ok(node.dataPath.endsWith(`/broker-${number}`))
      const { transports: _, node: __, ...same } = JSON.parse(read('broker-1.json'))
      assert.deepEqual(rest, same)
    })
  }

  it('nodes.json passes it with --nodes 3: the ports that its README names', async () => {
    const lines = (await check('nodes.json', { DATA_PATH: './data' }, '--nodes', '3')).split('\n')
    assert.equal(lines[0], 'nodes.json: ok')
    assert.deepEqual(
      lines.slice(1, -1),
      [1, 2, 3].map((i) => {
        const port = 4050 + 100 * i
        return `  node-${i}  tcp 0.0.0.0:${port}  http 0.0.0.0:${port + 1}  data ./data/node-${i}`
      }),
    )
  })

  it('container.json passes it where the address is set, and only there', async () => {
    const env = { BROADCAST_ADDRESS: 'broker-1', NSQLOOKUPD: 'nsqlookupd:4160' }
    assert.equal(await check('container.json', env), 'container.json: ok\n')
    await assert.rejects(check('container.json', {}), /BROADCAST_ADDRESS/)
    const { node, transports } = JSON.parse(read('container.json'))
    assert.equal(node.dataPath, CONTAINER_DATA)
    const ports = transports.map(({ options }: { options: { address: string } }) =>
      Number(options.address.split(':')[1]),
    )
    assert.deepEqual(ports, CONTAINER_PORTS)
  })

  it('name the schema that editors use, and ask nsqlookupd for its TCP port', () => {
    for (const name of readdirSync(FOLDER).filter((entry) => entry.endsWith('.json'))) {
      const { $schema, discovery } = JSON.parse(read(name))
      assert.ok(existsSync(join(FOLDER, $schema)), name)
      assert.match(discovery[0].options.tcpAddresses[0], /^\$\{NSQLOOKUPD:-[a-z0-9.]+:4160\}$/, name)
    }
  })
})

describe('config/cluster/Dockerfile', () => {
  const text = read('Dockerfile')
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))

  it('says first that it was not run', () => {
    assert.match(text, /^(?:#.*\n)*# Not run:/)
  })

  it('copies what exists, and what building makes', () => {
    const copies = lines.filter((line) => line.startsWith('COPY ')).map((line) => line.split(/\s+/).slice(1))
    assert.ok(copies.length > 0)
    for (const [first, second] of copies) {
      const path = first.startsWith('--from=build') ? second.replace('/opt/spillway/', '') : first
      assert.ok(existsSync(join(ROOT, path)), path)
    }
    assert.ok(lines.includes(`COPY config/cluster/container.json ${CONTAINER_CONFIG}`))
  })

  it('builds with a Node that this version runs on, and leaves the rights of root', () => {
    const images = lines.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1])
    assert.deepEqual(images, ['node:22-slim', 'node:22-slim'])
    assert.ok(lines.includes('USER 10001:10001'))
    assert.ok(text.includes('useradd --system --uid 10001'))
  })

  it('starts what exists, on the ports that it exposes, with the allocator setting of npm start', () => {
    const cmd = lines.find((line) => line.startsWith('CMD '))?.slice('CMD '.length) ?? ''
    requireOurCommand(JSON.parse(cmd))
    assert.ok(lines.includes(`EXPOSE ${CONTAINER_PORTS.join(' ')}`))
    assert.ok(lines.includes(`VOLUME ${CONTAINER_DATA}`))
    const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts
    const [setting] = /MALLOC_MMAP_THRESHOLD_=\d+/.exec(scripts.start) ?? []
    assert.ok(text.includes(`ENV ${setting} `))
  })
})

interface Service {
  readonly image: string
  readonly command: readonly string[]
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly depends_on?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
}

describe('config/cluster/compose.yaml', () => {
  const text = read('compose.yaml')
  const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(text, { merge: true })
  const services = Object.entries(compose.services)
  const brokers = services.filter(([name]) => name.startsWith('broker-'))

  it('has an nsqlookupd, three brokers and the console, and says first that it was not run', () => {
    assert.deepEqual(
      services.map(([name]) => name),
      ['nsqlookupd', 'broker-1', 'broker-2', 'broker-3', 'nsqadmin'],
    )
    assert.match(text, /^(?:#.*\n)*# Not run:/)
  })

  it('gives no port of the machine twice, and each a port that its container has', () => {
    const taken = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[0]))
    assert.equal(new Set(taken).size, taken.length)
    for (const [, { ports = [] }] of brokers) {
      assert.deepEqual(
        ports.map((port) => Number(port.split(':')[1])),
        CONTAINER_PORTS,
      )
    }
  })

  for (const [name, service] of services.filter(([, { build }]) => build !== undefined)) {
    it(`${name} is built from the Dockerfile and starts what exists`, () => {
      const { context, dockerfile } = service.build as NonNullable<Service['build']>
      assert.ok(existsSync(join(FOLDER, context, dockerfile)))
      assert.equal(service.image, 'spillway')
      requireOurCommand(service.command)
    })
  }

  for (const [name, { environment = {}, volumes = [], depends_on = [], healthcheck }] of brokers) {
    it(`${name} is known by its own name, asks the nsqlookupd that is there, and has a volume`, async () => {
      assert.equal(environment.BROADCAST_ADDRESS, name)
      const [host, port] = environment.NSQLOOKUPD.split(':')
      const { command } = compose.services[host]
      assert.ok(command.includes(`--tcp-address=0.0.0.0:${port}`))
      assert.deepEqual(depends_on, [host])
      assert.deepEqual(volumes, [`${name}:${CONTAINER_DATA}`])
      assert.ok(name in compose.volumes)
      assert.equal(await check('container.json', environment), 'container.json: ok\n')
      assert.match(healthcheck?.test.at(-1) ?? '', new RegExp(`:${CONTAINER_PORTS[1]}/ping`))
    })
  }

  it("the console is NSQ's own, and asks that nsqlookupd over HTTP", () => {
    const { image, command } = compose.services.nsqadmin
    assert.equal(image, 'nsqio/nsq:v1.3.0')
    assert.deepEqual(command, ['/nsqadmin', '--lookupd-http-address=nsqlookupd:4161', '--http-address=0.0.0.0:4171'])
    assert.ok(compose.services.nsqlookupd.command.includes('--http-address=0.0.0.0:4161'))
  })
})

/** What is looked at of a manifest. */
interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  // biome-ignore lint/suspicious/noExplicitAny: each kind has another shape, and what is not there fails the test
  readonly spec: any
}

describe('config/cluster/kubernetes/', () => {
  const files = readdirSync(join(FOLDER, 'kubernetes'))
  const manifests = files.flatMap((name) =>
    parseAllDocuments(read(`kubernetes/${name}`)).map((document): Manifest => {
      assert.deepEqual(document.errors, [], name)
      return document.toJS()
    }),
  )
  const of = (kind: string, name: string): Manifest => {
    const found = manifests.filter((one) => one.kind === kind && one.metadata.name === name)
    assert.equal(found.length, 1, `${kind} ${name}`)
    return found[0]
  }

  it('says first in each file that it was not run', () => {
    for (const name of files) assert.match(read(`kubernetes/${name}`), /^(?:#.*\n)*# Not run:/)
  })

  for (const [kind, name] of [
    ['StatefulSet', 'spillway'],
    ['Deployment', 'nsqlookupd'],
  ]) {
    it(`${name}: labels fit, probes and services name ports that exist, and the command does`, () => {
      const { spec } = of(kind, name)
      const { labels } = spec.template.metadata
      assert.deepEqual({ ...labels, ...spec.selector.matchLabels }, labels)
      const [container] = spec.template.spec.containers
      const ports = new Map<string, number>(
        container.ports.map((port: { name: string; containerPort: number }) => [port.name, port.containerPort]),
      )
      for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
        const { httpGet } = container[probe] ?? { httpGet: { path: '/ping', port: 'http' } }
        assert.ok(ports.has(httpGet.port) && ['/ping', '/info'].includes(httpGet.path))
      }
      assert.equal(container.readinessProbe.httpGet.path, '/ping')
      for (const service of manifests.filter((one) => one.kind === 'Service')) {
        if (service.spec.selector['app.kubernetes.io/name'] !== labels['app.kubernetes.io/name']) continue
        for (const { port, targetPort } of service.spec.ports) assert.equal(ports.get(targetPort), port)
      }
      assert.equal(container.image, 'spillway')
      requireOurCommand(container.command)
    })
  }

  it('spillway: each pod is known by its own name in the headless service, and its configuration passes the check', async () => {
    const { spec } = of('StatefulSet', 'spillway')
    const service = of('Service', spec.serviceName)
    assert.equal(service.spec.clusterIP, 'None')
    const [container] = spec.template.spec.containers
    const values = { POD_NAME: 'spillway-0', POD_NAMESPACE: 'default' }
    const env: Record<string, string> = {}
    for (const { name, value } of container.env as { name: keyof typeof values; value?: string }[]) {
      env[name] = value?.replace(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? 'MISSING') ?? values[name]
    }
    assert.equal(env.BROADCAST_ADDRESS, `spillway-0.${spec.serviceName}.default`)
    const [host, port] = env.NSQLOOKUPD.split(':')
    assert.ok(of('Service', host).spec.ports.some((one: { port: number }) => one.port === Number(port)))
    assert.equal(await check('container.json', env), 'container.json: ok\n')
    assert.deepEqual(
      container.ports.map((one: { containerPort: number }) => one.containerPort),
      CONTAINER_PORTS,
    )
  })

  it('spillway: its disk is mounted where the configuration keeps data, for the user of the image; a stop has time', () => {
    const { spec } = of('StatefulSet', 'spillway')
    const { containers, securityContext, terminationGracePeriodSeconds } = spec.template.spec
    assert.deepEqual(containers[0].volumeMounts, [{ name: 'data', mountPath: CONTAINER_DATA }])
    assert.deepEqual(
      spec.volumeClaimTemplates.map((one: Manifest) => one.metadata.name),
      ['data'],
    )
    assert.deepEqual([securityContext.runAsUser, securityContext.fsGroup], [10_001, 10_001])
    assert.ok(terminationGracePeriodSeconds >= 30)
    assert.ok(containers[0].resources.limits.memory !== undefined)
  })
})
