#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_to_http', new URL('../dist/src/tools/nsq-to-http/main.js', import.meta.url))
