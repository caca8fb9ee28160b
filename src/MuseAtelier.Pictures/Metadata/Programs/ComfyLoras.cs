using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Reads the LoRAs of a ComfyUI graph: those on the way from the checkpoint to the sampler change the UNet, those on the way to the
/// prompt's text encoders change these, and most do both (nodes.py, LoraLoader and LoraLoaderModelOnly).
/// </summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the LoRAs.</param>
internal sealed class ComfyLoras(ComfyNodes nodes, RequestDraft draft)
{
    private static readonly string[] ModelNames = ["model", "model1"];
    private static readonly string[] ClipNames = ["clip"];

    // The inputs by which a conditioning leads to a text.
    private static readonly string[] TextNames = ["positive", "conditioning", "conditioning_1", "conditioning_to"];

    /// <summary>Whether a node is one whose LoRA is taken.</summary>
    public static bool IsTaken(ComfyNodes nodes, JsonElement node) =>
        ComfyNodes.Class(node) is "LoraLoader" or "LoraLoaderModelOnly" && nodes.Single(node, "strength_model") is not null;

    /// <summary>Takes the LoRAs of a sampler's node or of its guider's, in the order in which ComfyUI adds them.</summary>
    public void Take(JsonElement guider)
    {
        List<string> ofModel = Chain(nodes.FollowNumber(guider, ModelNames), ModelNames);
        List<string> ofClip = Chain(Text(guider) is { } text ? nodes.FollowNumber(text, ClipNames) : null, ClipNames);
        foreach (string number in ofClip.Except(ofModel)) Name(nodes[number]);
        foreach (string number in ofModel.AsEnumerable().Reverse().Concat(ofClip.Except(ofModel).Reverse()))
            Take(nodes[number], ofModel.Contains(number), ofClip.Contains(number));
    }

    private void Take(JsonElement node, bool isOfModel, bool isOfClip)
    {
        float model = isOfModel ? nodes.Single(node, "strength_model") ?? 0 : 0;
        float clip = isOfClip ? nodes.Single(node, "strength_clip") ?? 0 : 0;
        if (model != 0 || clip != 0) ForeignLoras.Add(draft, nodes.Text(node, "lora_name"), model, clip, null);
    }

    // Nodes on the way of the model are named with it.
    private void Name(JsonElement node)
    {
        if (nodes.Single(node, "strength_clip") is { } clip and not 0)
            draft.SkipWithoutLoras(Invariant($"{ComfyNodes.Class(node)}: {nodes.Text(node, "lora_name")} (text {clip})"));
    }

    // The first text of the prompt.
    private JsonElement? Text(JsonElement guider)
    {
        JsonElement? node = nodes.Follow(guider, TextNames);
        for (int i = 0; i < ComfyNodes.LongestChain && node is { } here; i++)
        {
            if (nodes.FollowNumber(here, ClipNames) is not null) return here;
            node = nodes.Follow(here, TextNames);
        }

        return null;
    }

    private List<string> Chain(string? number, string[] names)
    {
        List<string> found = [];
        for (int i = 0; i < ComfyNodes.LongestChain && number is not null && !found.Contains(number); i++)
        {
            JsonElement node = nodes[number];
            if (IsTaken(nodes, node) && nodes.Text(node, "switch") != "Off") found.Add(number);
            number = nodes.FollowNumber(node, names);
        }

        return found;
    }
}
