import { BarChart, FunnelChart, HeatmapChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([BarChart, FunnelChart, HeatmapChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

/** In the colours of the page: charts have no palette of their own. */
export function open(box: HTMLElement): echarts.ECharts {
  const css = getComputedStyle(document.documentElement);
  const token = (name: string) => css.getPropertyValue(`--${name}`).trim();
  const axis = { axisLine: { lineStyle: { color: token("line-2") } }, axisLabel: { color: token("ink-2") }, splitLine: { lineStyle: { color: token("line") } }, nameTextStyle: { color: token("ink-2") } };
  const look = {
    color: [token("accent"), token("lamp"), token("cold"), token("hot"), token("good"), token("ink-3")],
    textStyle: { fontFamily: token("font-ui"), color: token("ink") },
    categoryAxis: axis,
    valueAxis: axis,
    legend: { textStyle: { color: token("ink-2") } },
    tooltip: { renderMode: "richText", backgroundColor: token("sheet"), borderColor: token("line"), textStyle: { color: token("ink") } },
    visualMap: { textStyle: { color: token("ink-2") }, color: [token("accent"), token("sunk")] },
  };
  return echarts.init(box, look, { renderer: "canvas" });
}
