export { type KeyPair, makeAuthority, makeCertificate, TestFiles } from './certificates.js'
