using System.CommandLine;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Choices;
using MuseAtelier.Cli.Display;
using MuseAtelier.Pictures;
using static System.FormattableString;

namespace MuseAtelier.Cli;

/// <summary>The common part of the commands that paint: the model, the number of pictures, their files, and the output.</summary>
internal sealed class Painting
{
    private readonly Option<int> _count = Choice.Whole("--count", "Number of pictures. Each has the next seed.", 1, least: 1);
    private readonly Option<int> _batch = Choice.Whole(
        "--batch",
        $"Batch size: how many pictures are denoised together, 1 to {BatchSlot.LargestBatch}; 0 means the fastest size within the "
            + "budget. With 1, a picture has the same bytes as when it is painted alone. In a larger batch it looks the same, "
            + "but its last bits may differ.",
        0,
        least: 0,
        most: BatchSlot.LargestBatch);
    private readonly Option<string?> _model = AtelierChoices.Model();
    private readonly Option<string?> _output = UserPath.Option("--out", "-o");
    private readonly Option<bool> _force = new("--force") { Description = "Replace an existing file." };
    private readonly Option<MetadataLevel> _metadata = Choice.Of<MetadataLevel>(
        "--metadata",
        "The metadata in the file: full (with the record that muse verify and muse replay read), parameters (AUTOMATIC1111's text), "
            + "origin (only that a model made the picture), or none.");
    private readonly Option<int> _quality = Choice.Whole(
        "--quality",
        "Quality of JPEG and WebP, 1 to 100; 0 means 95. PNG keeps every pixel.",
        0,
        least: 0,
        most: 100);
    private readonly Option<bool> _preview = new("--preview") { Description = "Show the picture in the terminal while it is painted." };
    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object per picture on stdout, one a line." };
    private readonly AtelierChoices _choices;
    private readonly RequestChoices _request;
    private readonly Terminal _terminal;

    private readonly Option<string?> _sheet = UserPath.Option("--sheet");

    /// <summary>Adds the options to a command.</summary>
    /// <param name="terminal">Where the command writes.</param>
    /// <param name="command">The command.</param>
    /// <param name="request">The options of the request, which name folders too.</param>
    /// <param name="isSeries">Whether the command paints different pictures and a contact sheet of them.</param>
    public Painting(Terminal terminal, Command command, RequestChoices request, bool isSeries = false)
    {
        (_terminal, _request) = (terminal, request);
        string numbered = isSeries ? "The files get numbers." : "With --count, the files get numbers.";
        _output.Description = $"The file ({PictureFormats.Known}), or an existing folder. {numbered} "
            + "[default: a PNG file in the working folder, named after the prompt and the seed]";
        _output.HelpName = "FILE|FOLDER";
        _sheet.Description = "The file of the contact sheet (.png). [default: beside the pictures, with -sheet in its name]";
        _sheet.HelpName = "FILE";
        Option[] special = isSeries ? [_sheet] : [_count, _batch];
        foreach (Option option in (Option[])[.. special, _model, _output, _force, _metadata, _quality, _preview, _json])
            command.Add(option);
        _choices = new AtelierChoices(command);
    }

    /// <summary>Paints the pictures and writes their files.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="request">The first picture.</param>
    /// <param name="record">
    /// The record of a picture that is painted again; null for a new picture. Unless the command line says otherwise, the picture keeps
    /// its batch size, its index in the batch and its decoder tiles.
    /// </param>
    /// <param name="opened">Called with the open atelier before anything is painted, to compare its model and device.</param>
    /// <param name="stop">Stops within a step.</param>
    public async Task<int> RunAsync(
        ParseResult result, PictureRequest request, PictureRecord? record, Action<Atelier>? opened, CancellationToken stop)
    {
        // Every check that needs no model runs before a model is opened.
        PictureRequestException.ThrowIfUnpaintable(request);
        PictureFileOptions files = FileOptions(result);
        List<string> paths = OutputPath.Choose(result.GetValue(_output), request, result.GetValue(_count), files);
        bool isPreviewed = IsPreviewed(result);
        string model = result.GetValue(_model) ?? DefaultModel.Find();
        AtelierOptions options = Options(result, record, request) with { Previews = isPreviewed };
        options.ThrowIfUnpaintable(request);
        BatchSlot? slot = record?.Engine.BatchSlot;
        AtelierChoices.RequireBudget(model, options, request);
        await using RenderDisplay display = RenderDisplay.Start(_terminal, paths.Count);
        await using Atelier atelier = await Atelier.OpenAsync(model, options, display, stop);
        await display.PauseAsync();
        opened?.Invoke(atelier);
        display.Continue();
        int? batchSize = result.GetValue(_batch) is > 0 and var batch ? batch : slot?.BatchSize;
        if (paths.Count == 1 && batchSize == slot?.BatchSize)
        {
            using Picture painted = await atelier.GenerateAsync(request, slot ?? BatchSlot.Alone, display, stop);
            await FinishAsync(painted, paths[0]);
            return ExitCode.Done;
        }

        int next = 0;
        await foreach (Picture picture in atelier.GenerateManyAsync(request, paths.Count, batchSize, display, stop))
            using (picture) await FinishAsync(picture, paths[next++]);
        return ExitCode.Done;

        async Task FinishAsync(Picture picture, string path)
        {
            stop.ThrowIfCancellationRequested();
            await WriteAsync(result, picture, path, files, display);
        }
    }

    /// <summary>Paints the pictures of a series, each by itself, and writes their files and their contact sheet.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="series">The pictures.</param>
    /// <param name="columns">The pictures of a row of the sheet.</param>
    /// <param name="opened">Called with the open atelier before anything is painted.</param>
    /// <param name="stop">Stops within a step.</param>
    public async Task<int> RunSeriesAsync(
        ParseResult result, IReadOnlyList<Variation> series, int columns, Action<Atelier> opened, CancellationToken stop)
    {
        foreach (Variation variation in series) PictureRequestException.ThrowIfUnpaintable(variation.Request);
        PictureFileOptions files = FileOptions(result);
        string? output = result.GetValue(_output);
        List<string> paths = OutputPath.Choose(output, [.. series.Select(variation => variation.Request)], files);
        string sheetPath = result.GetValue(_sheet) ?? OutputPath.SheetOf(output, series[0].Request);
        PictureFile.RequireWritable(sheetPath, files);
        string model = result.GetValue(_model) ?? DefaultModel.Find();
        AtelierOptions options = Options(result, null, series[0].Request) with { Previews = IsPreviewed(result) };
        foreach (Variation variation in series) options.ThrowIfUnpaintable(variation.Request);
        AtelierChoices.RequireBudget(model, options, series[0].Request);
        var sheet = new SeriesSheet();
        await using (RenderDisplay display = RenderDisplay.Start(_terminal, 1))
        {
            await using Atelier atelier = await Atelier.OpenAsync(model, options, display, stop);
            await display.PauseAsync();
            opened(atelier);
            display.Continue();
            for (int i = 0; i < series.Count; i++)
            {
                using Picture picture = await atelier.GenerateAsync(series[i].Request, BatchSlot.Alone, display, stop);
                stop.ThrowIfCancellationRequested();
                sheet.Add(picture, series[i].Label, await WriteAsync(result, picture, paths[i], files, display));
            }
        }

        WrittenPicture written = await sheet.Compose(columns).WriteAsync(sheetPath, files, stop);
        foreach (string notice in written.Notices) _terminal.WriteNotice("notice", notice);
        _terminal.Out.WriteLine(result.GetValue(_json)
            ? new JsonObject { ["sheet"] = Path.GetFullPath(written.Path) }.ToJsonString(Json.Readable)
            : Invariant($"{written.Path}: {series.Count} pictures"));
        return ExitCode.Done;
    }

    private async Task<string> WriteAsync(
        ParseResult result, Picture picture, string path, PictureFileOptions files, RenderDisplay display)
    {
        WrittenPicture written = PictureFile.Write(picture, path, files);
        string[] notices = [.. picture.Notices, .. written.Notices];
        await display.FinishAsync(picture);
        foreach (string notice in notices) _terminal.WriteNotice("notice", notice);
        _terminal.Out.WriteLine(result.GetValue(_json)
            ? Describe(picture, written.Path, notices).ToJsonString(Json.Readable)
            : Sentence(picture, written.Path));
        display.Continue();
        return written.Path;
    }

    private AtelierOptions Options(ParseResult result, PictureRecord? record, PictureRequest request) =>
        _choices.Read(result, record, request) with
        {
            LoraFolders = _request.LoraFolders(result),
            EmbeddingFolders = _request.EmbeddingFolders(result),
        };

    private PictureFileOptions FileOptions(ParseResult result)
    {
        int quality = result.GetValue(_quality);
        return new PictureFileOptions
        {
            Overwrite = result.GetValue(_force),
            UnderFreeName = true,
            Metadata = result.GetValue(_metadata),
            Quality = quality == 0 ? null : quality,
        };
    }

    private bool IsPreviewed(ParseResult result)
    {
        if (!result.GetValue(_preview)) return false;
        if (_terminal.ErrorConsole is not null) return true;
        _terminal.WriteNotice("notice", "--preview needs a terminal on stderr; painting without it");
        return false;
    }

    private static string Sentence(Picture picture, string path)
    {
        double seconds = picture.Timings.Total.TotalSeconds;
        PictureRequest request = picture.Request;
        string variation = request.VariationStrength > 0 ? Invariant($", variation seed {request.VariationSeed}") : "";
        return Invariant($"{path}: {picture.Width}x{picture.Height}, seed {request.Seed}{variation}, {seconds:0.0} s");
    }

    private static JsonObject Describe(Picture picture, string path, string[] notices) => new()
    {
        ["file"] = Path.GetFullPath(path),
        ["width"] = picture.Width,
        ["height"] = picture.Height,
        ["seed"] = picture.Request.Seed,
        ["variationSeed"] = picture.Request.VariationStrength > 0 ? picture.Request.VariationSeed : null,
        ["steps"] = picture.Request.Steps,
        ["guidance"] = picture.Request.GuidanceScale,
        ["model"] = picture.Model.Name,
        ["modelSha256"] = picture.Model.Sha256,
        ["batchSlot"] = new JsonObject
        {
            ["batchSize"] = picture.Provenance.BatchSlot.BatchSize,
            ["index"] = picture.Provenance.BatchSlot.Index,
        },
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
