#!/usr/bin/env node
import { launchTool } from './launch.js'

launchTool('nsq_stat', new URL('../dist/src/tools/nsq-stat/main.js', import.meta.url))
