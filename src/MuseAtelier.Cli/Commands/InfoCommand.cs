using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cli.Display;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Packages;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli.Commands;

/// <summary><c>muse info</c>: what a model or a picture is.</summary>
internal static class InfoCommand
{
    public static Command Create(Terminal terminal)
    {
        var path = new Argument<string>("MODEL|PICTURE") { Description = "A checkpoint (.safetensors), the folder of an exported package, or a picture." };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        var command = new Command("info", "Shows what a model is made of, or how a picture was made.") { path, json };
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
        return PictureFile.IsPicture(path) ? DescribePicture(path) : DescribeCheckpoint(path);
    }

    private static JsonObject DescribePicture(string path)
    {
        PictureFileContent content = PictureFile.Read(path);
        PictureText? text = PictureTexts.Find(content);
        // What is shown by itself is not shown twice.
        bool isParameters = text?.Text == content.Parameters;
        return new JsonObject
        {
            ["kind"] = "picture",
            ["path"] = path,
            ["format"] = content.Format.ToString(),
            ["width"] = content.Width,
            ["height"] = content.Height,
            ["program"] = content.RecordJson is null ? text?.Program : "MuseAtelier",
            ["notices"] = content.Notices.Count == 0 ? null : new JsonArray([.. content.Notices.Select(notice => JsonValue.Create(notice))]),
            ["parameters"] = content.Parameters,
            ["text"] = text is null || isParameters ? null : new JsonObject { ["keyword"] = text.Keyword, ["content"] = text.Text },
            ["record"] = content.RecordJson is null ? null : JsonNode.Parse(content.ReadRecord().ToJson()),
        };
    }

    private static JsonObject DescribePackage(string folder)
    {
        PackageManifest manifest = PackageManifest.Read(folder);
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
            ["parameters"] = manifest.Model.Parameters,
            ["bytes"] = manifest.Files.Sum(file => file.Bytes),
            ["components"] = new JsonObject(manifest.Components.Select(component => KeyValuePair.Create(component.Name, (JsonNode?)string.Create(
                CultureInfo.InvariantCulture,
                $"{component.Stages.Count} {(component.Stages.Count == 1 ? "stage" : "stages")}, {component.Stages.Select(stage => stage.Graph).Distinct().Count()} graphs, {component.Stages.Sum(stage => stage.ConstantBytes + stage.Weights.Sum(weight => weight.Bytes)) / 1e6:N1} MB of weights")))),
        };
    }

    private static JsonObject DescribeCheckpoint(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return new JsonObject
        {
            ["kind"] = "checkpoint",
            ["path"] = path,
            ["holds"] = CheckpointInspector.Detect(file).ToString(),
            ["bytes"] = file.Bytes,
            ["tensors"] = file.Tensors.Count,
            ["parameters"] = file.Tensors.Values.Where(tensor => tensor.Type is not ElementType.I64).Sum(tensor => tensor.Elements),
            ["types"] = new JsonObject(file.Tensors.Values.GroupBy(tensor => tensor.TypeName).OrderBy(type => type.Key, StringComparer.Ordinal).Select(type => KeyValuePair.Create(type.Key, (JsonNode?)type.Count()))),
            ["metadata"] = new JsonObject(file.Metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value))),
        };
    }
}
