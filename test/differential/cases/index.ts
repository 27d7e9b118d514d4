import type { Case } from '../case.js'
import { authCases } from './auth.js'
import { changedStreamCases } from './changed-streams.js'
import { connectionCases } from './connection.js'
import { httpCases } from './http.js'
import { identifyCases } from './identify.js'
import { messageCases } from './messages.js'
import { tlsCases } from './tls.js'
import { topicCases } from './topics.js'

export const CASES: readonly Case[] = [
  ...connectionCases,
  ...identifyCases,
  ...authCases,
  ...messageCases,
  ...topicCases,
  ...httpCases,
  ...changedStreamCases,
  ...tlsCases,
]
