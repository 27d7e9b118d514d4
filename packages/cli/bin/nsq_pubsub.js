#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_pubsub', new URL('../dist/src/tools/nsq-pubsub/main.js', import.meta.url))
