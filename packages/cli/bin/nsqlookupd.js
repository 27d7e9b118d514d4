#!/usr/bin/env node
import { launch } from './launch.js'

launch('nsqlookupd', new URL('../dist/src/nsqlookupd/main.js', import.meta.url))
