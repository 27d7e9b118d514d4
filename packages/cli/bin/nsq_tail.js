#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_tail', new URL('../dist/src/tools/nsq-tail/main.js', import.meta.url))
