import { access, constants } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BrokerError, type LogFields } from '@spillway/core'
import type { ConfigProblem, LoadedConfig } from '@spillway/core/node'

/** What is wrong with the files that a configuration names: all options whose name ends in `Path`, certificates with their keys. */
export async function checkFiles(config: LoadedConfig): Promise<ConfigProblem[]> {
  const { storage, transports, discoveries, queue, authenticator, telemetry, reporters, source } = config
  const problems: ConfigProblem[] = []
  const wrong = (pointer: string, found: string, expected: string): void => {
    problems.push({ code: 'E_CONFIG', file: source.label, pointer, found, expected })
  }

  const walk = async (options: unknown, pointer: string): Promise<void> => {
    if (typeof options !== 'object' || options === null) return
    const values = Object.entries(options)
    const isTls = 'certPath' in options && 'keyPath' in options
    if (isTls) await checkTls(options, pointer)
    for (const [key, value] of values) {
      if (typeof value === 'string' && key.endsWith('Path') && !isTls) await checkPath(value, `${pointer}/${key}`)
      else await walk(value, `${pointer}/${key}`)
    }
  }

  const checkPath = async (value: string, pointer: string): Promise<void> => {
    const path = resolve(source.folder, value)
    const isReadable = await access(path, constants.R_OK).then(
      () => true,
      () => false,
    )
    if (!isReadable) wrong(pointer, `${path}, which cannot be read`, 'a file')
  }

  const checkTls = async (options: object, pointer: string): Promise<void> => {
    const { TlsCredentials, tellCertificate } = await import('@spillway/tls')
    const told = (message: string, fields?: LogFields): void => {
      wrong(
        `${pointer}/certPath`,
        `${fields?.path}: ${message} (${fields?.subject}, ${fields?.validTo})`,
        'one that is valid',
      )
    }
    const credentials = new TlsCredentials(
      options as ConstructorParameters<typeof TlsCredentials>[0],
      source.folder,
      (read) => tellCertificate(read, { warn: told, info: () => {} }, Date.now()),
    )
    try {
      await credentials.load()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      wrong(pointer, error.detail, 'files that can be used')
    }
  }

  for (const loaded of [storage, ...transports, ...discoveries, queue, authenticator, telemetry, ...reporters]) {
    if (loaded !== null) await walk(loaded.options, `${loaded.pointer}/options`)
  }
  return problems
}
