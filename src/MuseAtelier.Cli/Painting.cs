using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

/// <summary>What commands that paint have in common: which model, how many pictures, into which files, and how they report.</summary>
internal sealed class Painting
{
    private readonly Option<int> _count = Choice.Whole("--count", "How many pictures, each with the next seed.", 1, least: 1);
    private readonly Option<int> _batch = Choice.Whole("--batch", $"How many of the pictures are denoised together, 1 to {BatchSlot.LargestBatch}; 0 means as many as are fastest within the budget. With 1, a seed's picture is bit by bit the one that it gives by itself; else to the eye.", 0, least: 0, most: BatchSlot.LargestBatch);
    private readonly Option<string?> _model = AtelierChoices.Model();
    private readonly Option<string?> _output = UserPath.Option("--out", "-o");
    private readonly Option<bool> _force = new("--force") { Description = "Replace a file that exists." };
    private readonly Option<MetadataLevel> _metadata = Choice.Of<MetadataLevel>("--metadata", "What the file says of its making: full (with the record that muse verify and muse replay read), AUTOMATIC1111's parameters, only that a machine made it, or nothing.");
    private readonly Option<int> _quality = Choice.Whole("--quality", "Quality of JPEG and WebP, 1 to 100; 0 means 95. PNG keeps every pixel.", 0, least: 0, most: 100);
    private readonly Option<bool> _preview = new("--preview") { Description = "Show the picture coming into being, in the terminal." };
    private readonly Option<bool> _json = new("--json") { Description = "One JSON object for each picture, one a line, on stdout." };
    private readonly AtelierChoices _choices;
    private readonly Terminal _terminal;

    public Painting(Terminal terminal, Command command)
    {
        _terminal = terminal;
        _output.Description = $"The file ({PictureFormats.Known}), or an existing folder. With --count, files get numbers. [default: a PNG file in the working folder, named after prompt and seed]";
        _output.HelpName = "FILE|FOLDER";
        foreach (Option option in (Option[])[_count, _batch, _model, _output, _force, _metadata, _quality, _preview, _json]) command.Add(option);
        _choices = new AtelierChoices(command);
    }

    /// <summary>Paints.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="request">The first picture.</param>
    /// <param name="record">The record of a picture that is painted again: in its place of as large a pass, and decoded in its tiles, unless the command line says otherwise; null for a new one.</param>
    /// <param name="opened">Told which model and device it is, before anything is painted.</param>
    /// <param name="stop">Stops within a step.</param>
    public async Task<int> RunAsync(ParseResult result, PictureRequest request, PictureRecord? record, Action<Atelier>? opened,
        CancellationToken stop)
    {
        // All that can be refused is refused before a model is opened.
        PictureRequestException.ThrowIfUnpaintable(request);
        int quality = result.GetValue(_quality);
        var files = new PictureFileOptions { Overwrite = result.GetValue(_force), UnderFreeName = true, Metadata = result.GetValue(_metadata), Quality = quality == 0 ? null : quality };
        List<string> paths = OutputPath.Choose(result.GetValue(_output), request, result.GetValue(_count), files);
        bool isPreviewed = result.GetValue(_preview) && _terminal.ErrorConsole is not null;
        if (result.GetValue(_preview) && !isPreviewed) _terminal.WriteNotice("notice", "--preview needs a terminal on stderr; painting without it");
        string model = result.GetValue(_model) ?? DefaultModel.Find();

        AtelierOptions options = _choices.Read(result, record, request) with { Previews = isPreviewed };
        BatchSlot? place = record?.Engine.Place;
        AtelierChoices.RequireBudget(model, options, request);
        await using RenderDisplay display = RenderDisplay.Start(_terminal, paths.Count);
        await using Atelier atelier = await Atelier.OpenAsync(model, options, display, stop);
        await display.PauseAsync();
        opened?.Invoke(atelier);
        display.Continue();
        int? together = result.GetValue(_batch) is > 0 and var batch ? batch : place?.Pictures;
        if (paths.Count == 1 && together == place?.Pictures)
        {
            await FinishAsync(await atelier.GenerateAsync(request, place ?? BatchSlot.Alone, display, stop), paths[0]);
            return ExitCode.Done;
        }

        int next = 0;
        await foreach (Picture picture in atelier.GenerateManyAsync(request, paths.Count, together, display, stop)) await FinishAsync(picture, paths[next++]);
        return ExitCode.Done;

        async Task FinishAsync(Picture picture, string path)
        {
            stop.ThrowIfCancellationRequested();
            WrittenPicture written = PictureFile.Write(picture, path, files);
            string[] notices = [.. picture.Notices, .. written.Notices];
            await display.FinishAsync(picture);
            foreach (string notice in notices) _terminal.WriteNotice("notice", notice);
            _terminal.Out.WriteLine(result.GetValue(_json)
                ? Describe(picture, written.Path, notices).ToJsonString(Json.Readable)
                : Sentence(picture, written.Path));
            display.Continue();
        }
    }

    private static string Sentence(Picture picture, string path) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}: {picture.Width}x{picture.Height}, seed {picture.Request.Seed}, {picture.Timings.Total.TotalSeconds:0.0} s");

    private static JsonObject Describe(Picture picture, string path, string[] notices) => new()
    {
        ["file"] = Path.GetFullPath(path),
        ["width"] = picture.Width,
        ["height"] = picture.Height,
        ["seed"] = picture.Request.Seed,
        ["steps"] = picture.Request.Steps,
        ["guidance"] = picture.Request.GuidanceScale,
        ["model"] = picture.Model.Name,
        ["modelSha256"] = picture.Model.Sha256,
        ["pass"] = new JsonObject { ["pictures"] = picture.Provenance.Pass.Pictures, ["index"] = picture.Provenance.Pass.Index },
        ["device"] = picture.Provenance.Device,
        ["notices"] = new JsonArray([.. notices.Select(notice => JsonValue.Create(notice))]),
        ["seconds"] = new JsonObject
        {
            ["text"] = picture.Timings.Text.TotalSeconds,
            ["denoising"] = picture.Timings.Denoising.TotalSeconds,
            ["decoding"] = picture.Timings.Decoding.TotalSeconds,
            ["total"] = picture.Timings.Total.TotalSeconds,
        },
    };
}
