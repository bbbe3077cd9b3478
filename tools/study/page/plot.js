// What the report draws with: Observable Plot, and of d3 what the page itself needs.
export { plot, dot, text, line, areaY, linearRegressionY, ruleX, ruleY, barX, cell, tip, pointer, link, crosshair, axisX, axisY, rect } from "@observablehq/plot";
