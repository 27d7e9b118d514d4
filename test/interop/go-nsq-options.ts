import type { Way } from './ways.js'

/** What a way asks for, as flags of the programs that are built on go-nsq. */
export function goNsqOptions(flag: '--consumer-opt' | '--producer-opt', { tls, compression, secret }: Way): string[] {
  const options = [
    ...(tls ? ['tls_v1', 'tls_insecure_skip_verify'] : []),
    ...(compression === 'none' ? [] : [compression]),
    ...(secret === '' ? [] : [`auth_secret,${secret}`]),
  ]
  return options.map((option) => `${flag}=${option}`)
}
