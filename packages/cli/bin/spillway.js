#!/usr/bin/env node
import { launch } from './launch.js'

launch('spillway', new URL('../dist/src/spillway/main.js', import.meta.url))
