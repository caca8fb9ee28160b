using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the nodes of a ComfyUI graph that lead from a checkpoint to a sampler (comfy_extras/nodes_model_advanced.py).</summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the settings; its sampler is set.</param>
internal sealed class ComfyModel(ComfyNodes nodes, RequestDraft draft)
{
    // The sigmas between which Playground 2.5 is trained.
    private const float LargestEdmSigma = 80;
    private const float SmallestEdmSigma = 0.002f;

    /// <summary>Takes the chain of nodes that ends with a sampler's model.</summary>
    public void Take(JsonElement? node)
    {
        for (int i = 0; i < ComfyNodes.LongestChain && node is { } here; i++)
        {
            if (nodes.Text(here, "ckpt_name") is { } name)
            {
                draft.ModelName = SamplerNames.Model(name);
                return;
            }

            TakeNode(here);
            node = nodes.Follow(here, "model", "model1");
        }
    }

    private void TakeNode(JsonElement node)
    {
        string kind = ComfyNodes.Class(node);
        switch (kind)
        {
            case "RescaleCFG" when nodes.Single(node, "multiplier") is { } multiplier:
                draft.TakeNumber("RescaleCFG", ComfyNodes.Words(multiplier), 1, share => draft.GuidanceRescale = share);
                break;
            case "ModelSamplingDiscrete":
                TakeDiscrete(nodes.Text(node, "sampling") ?? "", nodes.Flag(node, "zsnr") ?? false);
                break;
            case "ModelSamplingContinuousEDM":
                TakeContinuous(node, nodes.Text(node, "sampling") ?? "");
                break;
            default:
                NameNode(node, kind);
                break;
        }
    }

    private void TakeDiscrete(string sampling, bool isZeroSnr)
    {
        ModelPrediction? prediction = sampling switch
        {
            "eps" when !isZeroSnr => ModelPrediction.Epsilon,
            "v_prediction" => isZeroSnr ? ModelPrediction.VelocityZeroSnr : ModelPrediction.Velocity,
            "x0" when !isZeroSnr => ModelPrediction.Sample,
            _ => null,
        };
        if (prediction is { } known) draft.Prediction = known;
        // The samplers of consistency models scale the prediction themselves.
        else if (sampling != "lcm" || draft.Sampler.Id is not ("lcm" or "tcd"))
            draft.Skip($"ModelSamplingDiscrete: {sampling}{(isZeroSnr ? ", zsnr" : "")}");
    }

    private void TakeContinuous(JsonElement node, string sampling)
    {
        ModelPrediction? prediction = sampling switch
        {
            "v_prediction" => ModelPrediction.VelocityEdm,
            "edm_playground_v2.5" => ModelPrediction.Edm,
            _ => null,
        };
        if (prediction is { } known) draft.Prediction = known;
        else draft.Skip($"ModelSamplingContinuousEDM: {sampling}");
        NameSigma("sigma_max", nodes.Single(node, "sigma_max"), LargestEdmSigma);
        NameSigma("sigma_min", nodes.Single(node, "sigma_min"), SmallestEdmSigma);
    }

    private void NameSigma(string name, float? sigma, float usual)
    {
        if (sigma is { } number && number != usual)
            draft.Skip(Invariant($"ModelSamplingContinuousEDM {name}: {number} (painted with {usual})"));
    }

    private void NameNode(JsonElement node, string kind)
    {
        if (nodes.Text(node, "lora_name") is not { } network)
        {
            draft.Skip($"node {kind}");
            return;
        }

        float? model = nodes.Single(node, "strength_model");
        float? clip = nodes.Single(node, "strength_clip");
        // Without any strength, or switched off, a network changes nothing.
        if (model == 0 && clip is null or 0 || nodes.Text(node, "switch") == "Off") return;
        string strength = model is null ? "" : clip is null ? Invariant($" ({model})") : Invariant($" ({model}, text {clip})");
        string words = $"{kind}: {network}{strength}";
        if (ComfyLoras.IsTaken(nodes, node)) draft.SkipWithoutLoras(words);
        else draft.Skip(words);
    }
}
