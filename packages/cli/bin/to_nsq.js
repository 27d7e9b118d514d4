#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('to_nsq', new URL('../dist/src/tools/to-nsq/main.js', import.meta.url))
