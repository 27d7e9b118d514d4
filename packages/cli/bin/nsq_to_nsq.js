#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_to_nsq', new URL('../dist/src/tools/nsq-to-nsq/main.js', import.meta.url))
