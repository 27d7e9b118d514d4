/** A process that does nothing, for the delay that the machine itself causes. */
setInterval(() => undefined, 2 ** 30)
process.once('SIGTERM', () => process.exit())
process.send?.('ready')
