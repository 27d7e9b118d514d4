#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_to_file', new URL('../dist/src/tools/nsq-to-file/main.js', import.meta.url))
