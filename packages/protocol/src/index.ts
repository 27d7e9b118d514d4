export type { Command, CommandBody } from './command.js'
export { COMMANDS } from './commands/index.js'
export { encodeError, encodeFrame, encodeResponse, FRAME_HEADER_SIZE_BYTES, FrameType } from './frames.js'
export { OUTPUT_SIZE_BYTES_MAX } from './outbox.js'
export { Session, type SessionOptions } from './session.js'
export { SessionContext } from './session-context.js'
export {
  NO_UPGRADES,
  type SessionOutput,
  type TlsPeer,
  type Upgrade,
  type UpgradeKind,
  type UpgradeSupport,
} from './session-output.js'
