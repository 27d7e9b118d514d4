import type { Logger } from '@spillway/core'

/** A certificate as a listener has just read it. */
export interface ReadCertificate {
  readonly path: string
  /** PEM; what follows the first one are those between it and its authority. */
  readonly pem: Buffer
  /** It was read again: whoever asked for that wants to see that it worked. */
  readonly isReload: boolean
}

/** One line for a certificate that clients will not take for its dates, or that was read again: whose it is, and until when. */
export async function tellCertificate(
  { path, pem, isReload }: ReadCertificate,
  logger: Pick<Logger, 'warn' | 'info'>,
  wallMs: number,
): Promise<void> {
  const { X509Certificate } = await import('node:crypto') // only where it is needed
  const { subject, validFrom, validTo } = new X509Certificate(pem)
  const fields = { path, subject: subject.replaceAll('\n', ', '), validTo: new Date(validTo).toISOString() }
  if (wallMs > Date.parse(validTo))
    logger.warn('certificate has expired: clients that verify it will not connect', fields)
  else if (wallMs < Date.parse(validFrom)) logger.warn('certificate is not valid yet', fields)
  else if (isReload) logger.info('certificate read again', fields)
}
