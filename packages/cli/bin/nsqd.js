#!/usr/bin/env node
import { launch } from './launch.js'

launch('nsqd', new URL('../dist/src/nsqd/main.js', import.meta.url))
