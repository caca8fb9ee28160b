using System.CommandLine;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using static System.FormattableString;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse info</c>: describes a model or a picture.</summary>
internal static class InfoCommand
{
    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("MODEL|PICTURE")
        {
            Description = "A checkpoint (.safetensors, or the folder of a model in several files), the folder of an exported package, or a picture.",
        };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command("info", "Shows what a model consists of, or how a picture was made.") { path, json };
        command.SetAction((result, _) =>
        {
            JsonObject facts = Describe(result.GetRequiredValue(path));
            if (result.GetValue(json)) terminal.Out.WriteLine(facts.ToJsonString(Json.Readable));
            else FactSheet.Write(terminal.Out, facts);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static JsonObject Describe(string path)
    {
        if (Directory.Exists(path) && File.Exists(Path.Combine(path, PackageManifest.FileName))) return DescribePackage(path);
        return !Directory.Exists(path) && PictureFile.IsPicture(path) ? DescribePicture(path) : DescribeCheckpoint(path);
    }

    private static JsonObject DescribePicture(string path)
    {
        PictureFileContent content = PictureFile.Read(path);
        PictureText? text = PictureTexts.Find(content);
        JsonNode? notices = content.Notices.Count == 0 ? null : Texts(content.Notices);
        // The parameters have a member of their own, so "text" does not repeat them.
        JsonNode? other = text is null || text.Text == content.Parameters
            ? null
            : new JsonObject { ["keyword"] = text.Keyword, ["content"] = text.Text };
        return new JsonObject
        {
            ["kind"] = "picture",
            ["path"] = path,
            ["format"] = content.Format.ToString(),
            ["width"] = content.Width,
            ["height"] = content.Height,
            ["program"] = content.RecordJson is null ? text?.Program : "MuseAtelier",
            ["notices"] = notices,
            ["parameters"] = content.Parameters,
            ["text"] = other,
            ["replay"] = content.RecordJson is null ? DescribeReplay(content, text) : null,
            ["record"] = content.RecordJson is null ? null : JsonNode.Parse(content.ReadRecord().ToJson()),
        };
    }

    // What muse replay makes of another program's text; null if it can only be shown.
    private static JsonObject? DescribeReplay(PictureFileContent content, PictureText? text)
    {
        if (text is null) return null;
        try
        {
            ParsedParameters parsed = PictureTexts.Parse(content);
            return new JsonObject
            {
                ["request"] = JsonNode.Parse(parsed.RequestToJson()),
                ["notTakenOver"] = parsed.NotTaken.Count == 0 ? null : Texts(parsed.NotTaken),
                ["notices"] = parsed.Notices.Count == 0 ? null : Texts(parsed.Notices),
            };
        }
        catch (PictureFileException)
        {
            return null;
        }
    }

    private static JsonObject DescribePackage(string folder)
    {
        PackageManifest manifest = PackageManifest.Read(folder);
        var components = new JsonObject();
        foreach (ComponentSpec component in manifest.Components) components[component.Name] = Describe(component);
        return new JsonObject
        {
            ["kind"] = "package",
            ["path"] = folder,
            ["format"] = manifest.FormatVersion,
            ["lowering"] = manifest.Lowering.ToString(),
            ["arithmetic"] = manifest.PartPrecisions.ToString(),
            ["exporter"] = manifest.ExporterVersion,
            ["checkpoint"] = manifest.Checkpoint.Name,
            ["sha256"] = manifest.Checkpoint.Sha256,
            ["title"] = manifest.Checkpoint.Title,
            ["license"] = manifest.Checkpoint.License,
            ["upscaler"] = manifest.Upscaler is { } upscaler ? Invariant($"{upscaler.Architecture}, {upscaler.Scale} times") : null,
            ["parameters"] = manifest.Upscaler?.Parameters ?? manifest.Model.Parameters,
            ["prediction"] = manifest.Painter is { } painter ? Prediction(painter) : null,
            ["clipSkip"] = manifest.Painter is null ? null : Invariant($"up to {manifest.MostClipSkip}"),
            ["bytes"] = manifest.Files.Sum(file => file.Bytes),
            ["components"] = components,
        };
    }

    private static string Prediction(ModelSpec model)
    {
        string name = model.ZeroTerminalSnr ? $"{model.Prediction}, zero terminal SNR" : model.Prediction.ToString();
        return $"{name} ({model.PredictionMark ?? "no mark of another"})";
    }

    private static string Describe(ComponentSpec component)
    {
        string noun = component.Stages.Count == 1 ? "stage" : "stages";
        int graphs = component.Stages.Select(stage => stage.Graph).Distinct().Count();
        long bytes = component.Stages.Sum(stage => stage.ConstantBytes + stage.Weights.Sum(weight => weight.Bytes));
        return Invariant($"{component.Stages.Count} {noun}, {graphs} graphs, {bytes / 1e6:N1} MB of weights");
    }

    private static JsonObject DescribeCheckpoint(string path)
    {
        using TensorFile file = CheckpointFile.Open(path);
        var types = new JsonObject();
        foreach (var type in file.Tensors.Values.GroupBy(tensor => tensor.TypeName).OrderBy(type => type.Key, StringComparer.Ordinal))
            types[type.Key] = type.Count();
        var metadata = new JsonObject();
        foreach ((string name, string value) in file.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal)) metadata[name] = value;
        return new JsonObject
        {
            ["kind"] = "checkpoint",
            ["path"] = path,
            ["holds"] = CheckpointInspector.Detect(file).ToString(),
            ["predictionMark"] = CheckpointInspector.PredictionMarkOf(file),
            ["files"] = ModelFolder.IsFolder(path) ? Texts(ModelFolder.Of(path).Files.Select(entry => entry.Name)) : null,
            ["bytes"] = file.Bytes,
            ["tensors"] = file.Tensors.Count,
            ["parameters"] = file.Tensors.Values.Where(tensor => tensor.Type is not ElementType.I64).Sum(tensor => tensor.Elements),
            ["types"] = types,
            ["metadata"] = metadata,
        };
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
