using System.Text.Json.Nodes;
using MuseAtelier.Format;
using MuseAtelier.Tests.Loras;

namespace MuseAtelier.Tests.Cli;

public sealed class LorasCommandTests : IDisposable
{
    private readonly LoraModel _model = new();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Loras_OfAFolder_ListsWhatTheHeadersStateAndWhatIsBroken()
    {
        const string Layer = "lora_unet_input_blocks_4_1_proj_in";
        var metadata = new Dictionary<string, string>
        {
            ["ss_output_name"] = "watercolour",
            ["ss_sd_model_name"] = "base.safetensors",
            ["ss_base_model_version"] = "sdxl_base_v1-0",
            ["ss_tag_frequency"] = "{\"10_a\": {\"paper\": 3, \"wash\": 12}}",
        };
        string path = _model.Write(
            ElementType.F16, metadata, _model.Tensor($"{Layer}.lora_up.weight", 8, 4), _model.Tensor($"{Layer}.lora_down.weight", 4, 8),
            _model.Tensor($"{Layer}.dora_scale", 8, 1));
        string folder = Path.GetDirectoryName(path)!;
        File.WriteAllBytes(Path.Combine(folder, "broken.safetensors"), [1, 2, 3]);
        File.WriteAllText(Path.Combine(folder, "readme.txt"), "no LoRA");

        MuseResult shown = await Muse.RunAsync("loras", folder);
        Assert.Equal(0, shown.Code);
        Assert.Contains("LoRA + DoRA, rank 4; 1 layer of UNet", shown.Out, StringComparison.Ordinal);
        Assert.Contains("wash, paper", shown.Out, StringComparison.Ordinal);
        Assert.Contains("base.safetensors (sdxl_base_v1-0)", shown.Out, StringComparison.Ordinal);
        Assert.Contains("2 files, 1 of them unusable", shown.Out, StringComparison.Ordinal);

        MuseResult json = await Muse.RunAsync("loras", "--json", folder);
        JsonNode[] lines = [.. json.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(["broken", "lora-0"], lines.Select(line => line["name"]!.GetValue<string>()));
        Assert.Contains("not a safetensors file", lines[0]["fault"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal(("watercolour", 4), (lines[1]["alias"]!.GetValue<string>(), lines[1]["mostRank"]!.GetValue<int>()));
        Assert.Null(lines[1]["fault"]);
    }

    [Fact]
    public async Task Loras_OfAMissingFolder_Fails()
    {
        MuseResult result = await Muse.RunAsync("loras", _model.Path("none"));
        Assert.Equal(1, result.Code);
        Assert.Contains("none", result.Error, StringComparison.Ordinal);
    }
}
