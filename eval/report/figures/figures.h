#pragma once
// Every figure of the report: data in, drawing, CSV and JSON out. Figures are numbered and
// specified in the order of the page.

#include "eval/report/figure.h"
#include "eval/report/report_data.h"

namespace switchyard {

Figure summary_figure(const ReportData& data);  ///< seen and unseen domains, arms, seeds
Figure share_figure(const ReportData& data);    ///< experts by layer and domain
Figure load_figure(const ReportData& data);
Figure entropy_figure(const ReportData& data);
Figure nmi_domain_figure(const ReportData& data);
Figure nmi_class_figure(const ReportData& data);
Figure js_figure(const ReportData& data);
Figure js_depth_figure(const ReportData& data);
Figure coactivation_figure(const ReportData& data);
Figure flow_ribbons_figure(const ReportData& data);
Figure labels_figure(const ReportData& data);
Figure margins_figure(const ReportData& data);
Figure stability_figure(const ReportData& data);  ///< over the traces of several checkpoints
/// Points of kept samples coloured by expert.
Figure overlay_points_figure(const ReportData& data);
/// The same of pictures: patches of kept ones, and of those made, at several noise levels.
Figure overlay_images_figure(const ReportData& data);
Figure overlay_denoising_figure(const ReportData& data);
Figure samples_figure(const ReportData& data);          ///< made pictures in grids
Figure denoising_figure(const ReportData& data);        ///< experts over the noise level
Figure condition_split_figure(const ReportData& data);  ///< experts with and without condition
Figure curves_figure(const ReportData& data);
Figure probe_figure(const ReportData& data);
Figure provenance_figure(const ReportData& data);

/// "4 800 tokens × 5 domains, 32 scenes": the evidence of a routing figure.
std::string trace_sample(const Routing& routing);
/// A routing figure without a trace.
void mark_untraced(Figure& figure, const ReportData& data);
/// The commands after which a figure of made pictures is not empty.
std::string sample_commands(const ReportData& data);
/// "E3"
std::string expert_name(int64_t expert);
/// "L11.E3", as in the hash of the page.
std::string expert_address(int64_t layer, int64_t expert);
/// Colours and true numbers of a layer's experts; an entry isolates its expert.
Svg expert_legend(const OverlayLayer& layer);

}  // namespace switchyard
