using System.Globalization;
using System.Xml.Linq;

namespace MuseAtelier.Tools.Charts;

/// <summary>
/// Draws the seconds per picture over the budget of video memory, with the peak memory of each run, beside the results of a peer. The SVG
/// follows the reader's light or dark theme.
/// </summary>
internal static class SanctumChart
{
    private const double Width = 860, Height = 480, Left = 66, Right = 834, Top = 112, Bottom = 424;
    private const double Gibibyte = 1L << 30;
    private const double LeastLabelDistance = 30;

    // The panel must have its own background, because the colours are chosen for it and the page may have any.
    private const string Style = """

            text { font: 13px system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; fill: #2b2620 }
            .panel { fill: #fffdf8; stroke: #e4dccb }
            .grid { stroke: #ece5d8 }
            .title { font-size: 17px; font-weight: 600 }
            .quiet { fill: #786d5e }
            .curve { fill: none; stroke: #a8740a; stroke-width: 2.5; stroke-linejoin: round }
            .onward, .span { fill: none; stroke: #a8740a; stroke-width: 1.5; stroke-dasharray: 2 4 }
            .given { fill: #a8740a }
            .held { fill: #fffdf8; stroke: #a8740a; stroke-width: 2 }
            .ours { fill: #8a5f06; font-weight: 600 }
            .peer { fill: #4f6391 }
            @media (prefers-color-scheme: dark) {
              text { fill: #efe8da }
              .panel { fill: #1d1a16; stroke: #3a342b }
              .grid { stroke: #332e26 }
              .quiet { fill: #a99e8b }
              .curve, .onward, .span { stroke: #e8b84a }
              .given { fill: #e8b84a }
              .held { fill: #1d1a16; stroke: #e8b84a }
              .ours { fill: #f0cc7a }
              .peer { fill: #9db1da }
            }

        """;

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Draws the chart of a folder's <c>budgets.json</c> and, if it exists, <c>peers.json</c>.</summary>
    /// <exception cref="ResultFileException">A file cannot be used.</exception>
    public static string Draw(string folder)
    {
        string budgets = Path.Combine(folder, "budgets.json"), peers = Path.Combine(folder, "peers.json");
        IReadOnlyList<Measured> ours = ResultFile.Read<IReadOnlyList<Measured>>(budgets);
        if (!ours.Any(measured => measured.BudgetBytes is not null))
        {
            throw new ResultFileException(
                budgets, "has no result under a budget", "one or more", "Measure with muse bench --vram AMOUNT --json.");
        }

        return Draw(ours, File.Exists(peers) ? ResultFile.Read<IReadOnlyList<MeasuredPeer>>(peers) : []);
    }

    /// <summary>Draws the chart.</summary>
    /// <param name="ours">Results, of which at least one has a budget.</param>
    /// <param name="peers">Results of peers.</param>
    public static string Draw(IReadOnlyList<Measured> ours, IReadOnlyList<MeasuredPeer> peers)
    {
        var scale = Scale.Over(ours, peers);
        // Results with rotating sessions get points of their own rather than a place on the curve, because their mode is another one.
        List<Measured> curve =
        [
            .. ours.Where(measured => measured is { BudgetBytes: not null, RotatesSessions: false })
                .OrderBy(measured => measured.BudgetBytes),
        ];
        Measured? unlimited = ours.FirstOrDefault(
            measured => measured is { BudgetBytes: null, PeakDeviceBytes: not null, RotatesSessions: false });
        string description = string.Join("; ", ours.Select(Sentence).Concat(peers.Select(Sentence)));
        var svg = new XElement(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {Width} {Height}"),
            new XAttribute("width", Width),
            new XAttribute("height", Height),
            new XAttribute("role", "img"),
            new XElement(Svg + "title", "Seconds a picture under a budget of video memory"),
            new XElement(Svg + "desc", description),
            new XElement(Svg + "style", Style),
            Panel(),
            Text(Left - 40, 34, "title", "start", "Seconds a picture under a budget of video memory"),
            Text(Left - 40, 55, "quiet", "start", ours[0].Conditions),
            Legend(peers.Count > 0),
            Grid(scale),
            Curve(curve, unlimited, scale),
            ours.Where(measured => measured.RotatesSessions).Select(measured => OurPoint(measured, scale, "sessions in turn")),
            curve.Select(measured => OurPoint(measured, scale, null)),
            unlimited is null ? null : OurPoint(unlimited, scale, "without a budget"),
            Labels(curve, scale),
            peers.Select(peer => PeerPoint(peer, scale)));
        return svg.ToString().ReplaceLineEndings("\n") + "\n";
    }

    private static XElement Panel() => new(
        Svg + "rect",
        new XAttribute("class", "panel"),
        new XAttribute("x", 0.5),
        new XAttribute("y", 0.5),
        new XAttribute("width", Width - 1),
        new XAttribute("height", Height - 1),
        new XAttribute("rx", 10));

    private static XElement Legend(bool hasPeers) => new(
        Svg + "g",
        Circle(Left - 34, 79, 5, "given"), Text(Left - 22, 84, null, "start", "MuseAtelier: the budget given"),
        Circle(Left + 208, 79, 4.5, "held"), Text(Left + 220, 84, null, "start", "what its process held at most"),
        hasPeers ? new[] { Diamond(Left + 456, 79), Text(Left + 468, 84, null, "start", "diffusers, on such a machine") } : []);

    private static XElement Grid(Scale scale)
    {
        var grid = new XElement(Svg + "g");
        for (double seconds = scale.LeastSeconds; seconds <= scale.MostSeconds; seconds *= 2)
        {
            double y = scale.Y(seconds);
            grid.Add(Line(Left, y, Right, y, "grid"), Text(Left - 10, y + 4, "quiet", "end", Number(seconds, "0.###")));
        }

        for (double gibibytes = 0; gibibytes <= scale.MostGibibytes; gibibytes += 2)
        {
            double x = scale.X(gibibytes);
            grid.Add(Line(x, Top, x, Bottom, "grid"), Text(x, Bottom + 20, "quiet", "middle", Number(gibibytes, "0")));
        }

        grid.Add(Text((Left + Right) / 2, Bottom + 42, "quiet", "middle", "GiB of video memory, context and libraries included"));
        XElement title = Text(0, 0, "quiet", "middle", "seconds, doubling");
        title.Add(new XAttribute("transform", $"translate({Number(Left - 42)} {Number((Top + Bottom) / 2)}) rotate(-90)"));
        grid.Add(title);
        return grid;
    }

    private static IEnumerable<XElement> Curve(List<Measured> curve, Measured? unlimited, Scale scale)
    {
        yield return Polyline("curve", curve.Select(measured => (scale.X(Budget(measured)), scale.Y(measured.PictureSeconds))));
        if (curve.Count > 0 && unlimited is not null && Peak(unlimited) is { } peak && peak > Budget(curve[^1]))
        {
            yield return Polyline(
                "onward",
                [
                    (scale.X(Budget(curve[^1])), scale.Y(curve[^1].PictureSeconds)),
                    (scale.X(peak), scale.Y(unlimited.PictureSeconds)),
                ]);
        }
    }

    private static XElement OurPoint(Measured measured, Scale scale, string? label)
    {
        double y = scale.Y(measured.PictureSeconds);
        var point = new XElement(Svg + "g", new XElement(Svg + "title", Sentence(measured)));
        if (measured.BudgetBytes is not null)
        {
            if (Peak(measured) is { } peak) point.Add(Line(scale.X(peak), y, scale.X(Budget(measured)), y, "span"));
            point.Add(Circle(scale.X(Budget(measured)), y, 5, "given"));
        }

        if (Peak(measured) is { } held) point.Add(Circle(scale.X(held), y, 4.5, "held"));
        if (label is null) return point;
        double x = scale.X(Peak(measured) ?? Budget(measured));
        point.Add(Text(x + 11, y + 18, "ours", "start", $"{Number(measured.PictureSeconds, "0.00")} {label}"));
        return point;
    }

    private static IEnumerable<XElement> Labels(List<Measured> curve, Scale scale)
    {
        double last = double.NegativeInfinity;
        foreach (Measured measured in curve)
        {
            double x = scale.X(Budget(measured));
            if (x - last < LeastLabelDistance) continue;
            last = x;
            yield return Text(x + 4, scale.Y(measured.PictureSeconds) - 11, "ours", "middle", Number(measured.PictureSeconds, "0.00"));
        }
    }

    private static XElement PeerPoint(MeasuredPeer peer, Scale scale)
    {
        double x = scale.X(peer.Gibibytes), y = scale.Y(peer.Seconds);
        bool isRight = x > (Left + Right) / 2;
        return new XElement(
            Svg + "g",
            new XElement(Svg + "title", Sentence(peer)),
            Diamond(x, y),
            Text(isRight ? x - 12 : x + 12, y + 4, "peer", isRight ? "end" : "start", $"{Name(peer)}, {Number(peer.Seconds, "0.0#")}"));
    }

    private static string Sentence(Measured measured)
    {
        string budget = measured.BudgetBytes is null ? "without a budget" : $"budget {Number(Budget(measured), "0.##")} GiB";
        string held = Peak(measured) is { } peak ? $", {Number(peak, "0.00")} GiB held at most" : "";
        return $"{budget}: {Number(measured.PictureSeconds, "0.00")} s{held}";
    }

    private static string Sentence(MeasuredPeer peer) =>
        $"{peer.Peer}, {Name(peer)}: {Number(peer.Seconds, "0.00")} s, {Number(peer.Gibibytes, "0.00")} GiB";

    private static string Name(MeasuredPeer peer) => peer.Mode switch
    {
        "compile" => "torch.compile",
        "model_offload" => "offload by model",
        "group_leaf" => "group offload by leaf",
        "group_blocks" => "group offload by blocks",
        var mode => mode.Replace('_', ' '),
    };

    private static double Budget(Measured measured) => (measured.BudgetBytes ?? 0) / Gibibyte;

    private static double? Peak(Measured measured) => measured.PeakDeviceBytes / Gibibyte;

    private static string Number(double value, string format = "0.##") => value.ToString(format, CultureInfo.InvariantCulture);

    private static XElement Text(double x, double y, string? style, string anchor, string text) => new(
        Svg + "text",
        new XAttribute("x", Number(x)),
        new XAttribute("y", Number(y)),
        new XAttribute("text-anchor", anchor),
        style is null ? null : new XAttribute("class", style),
        text);

    private static XElement Line(double x1, double y1, double x2, double y2, string style) => new(
        Svg + "line",
        new XAttribute("x1", Number(x1)),
        new XAttribute("y1", Number(y1)),
        new XAttribute("x2", Number(x2)),
        new XAttribute("y2", Number(y2)),
        new XAttribute("class", style));

    private static XElement Circle(double x, double y, double radius, string style) => new(
        Svg + "circle",
        new XAttribute("cx", Number(x)),
        new XAttribute("cy", Number(y)),
        new XAttribute("r", Number(radius)),
        new XAttribute("class", style));

    private static XElement Diamond(double x, double y) =>
        new(Svg + "path", new XAttribute("d", $"M {Number(x)} {Number(y - 6)} l 6 6 l -6 6 l -6 -6 z"), new XAttribute("class", "peer"));

    private static XElement Polyline(string style, IEnumerable<(double X, double Y)> points) =>
        new(
            Svg + "polyline",
            new XAttribute("points", string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"))),
            new XAttribute("class", style));

    // The axis of memory is linear from 0. The axis of seconds is logarithmic, because they differ by orders of magnitude.
    private readonly record struct Scale(double MostGibibytes, double LeastSeconds, double MostSeconds)
    {
        public static Scale Over(IReadOnlyList<Measured> ours, IReadOnlyList<MeasuredPeer> peers)
        {
            double[] seconds = [.. ours.Select(measured => measured.PictureSeconds), .. peers.Select(peer => peer.Seconds)];
            double most = ours.Select(measured => Math.Max(Budget(measured), Peak(measured) ?? 0))
                .Concat(peers.Select(peer => peer.Gibibytes))
                .Max();
            // The axes reach a little beyond the outermost points, so that none lies on the edge.
            return new Scale(
                2 * Math.Ceiling((most + 0.2) / 2),
                Math.Pow(2, Math.Floor(Math.Log2(seconds.Min() / 1.05))),
                Math.Pow(2, Math.Ceiling(Math.Log2(seconds.Max() * 1.05))));
        }

        public double X(double gibibytes) => Left + (Right - Left) * gibibytes / MostGibibytes;

        public double Y(double seconds) =>
            Bottom - (Bottom - Top) * Math.Log2(seconds / LeastSeconds) / Math.Log2(MostSeconds / LeastSeconds);
    }
}
