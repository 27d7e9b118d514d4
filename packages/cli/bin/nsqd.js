#!/usr/bin/env node
import { launch } from './launch.js'

await launch('nsqd', new URL('../dist/src/nsqd/main.js', import.meta.url))
