export { TlsCredentials } from './credentials.js'
export { type ClientAuthPolicy, TLS_SCHEMA, type TlsOptions, type TlsVersion } from './options.js'
export { commonNameOf, hasCertificate, peerOf, refusalOfPeer } from './peer.js'
export { type ReadCertificate, tellCertificate } from './tell-certificate.js'
