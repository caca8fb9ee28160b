using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the nodes of a ComfyUI graph that choose a sampler and the noise levels (comfy_extras/nodes_custom_sampler.py).</summary>
/// <param name="nodes">The graph.</param>
/// <param name="draft">Receives the settings.</param>
internal sealed class ComfySampling(ComfyNodes nodes, RequestDraft draft)
{
    // The noise levels of SDXL, which the nodes have as their defaults.
    private const float LargestSigma = 14.614642f;
    private const float SmallestSigma = 0.0291675f;
    private const float Close = 0.01f;

    // Nodes that are a sampler, with the sampler's name.
    private static readonly Dictionary<string, string> Samplers = new(StringComparer.Ordinal)
    {
        ["SamplerEulerAncestral"] = "euler_ancestral",
        ["SamplerDPMPP_2S_Ancestral"] = "dpmpp_2s_ancestral",
        ["SamplerDPMPP_SDE"] = "dpmpp_sde",
        ["SamplerDPMPP_2M_SDE"] = "dpmpp_2m_sde",
        ["SamplerDPMPP_3M_SDE"] = "dpmpp_3m_sde",
        ["SamplerLMS"] = "lms",
    };

    // Nodes that are a schedule, with the schedule's name.
    private static readonly Dictionary<string, string> Schedules = new(StringComparer.Ordinal)
    {
        ["KarrasScheduler"] = "karras",
        ["ExponentialScheduler"] = "exponential",
        ["PolyexponentialScheduler"] = "polyexponential",
        ["AlignYourStepsScheduler"] = "align_your_steps",
        ["BetaSamplingScheduler"] = "beta",
    };

    // The inputs of both kinds of nodes that this engine has no settings for, with the values that change nothing.
    private static readonly (string Name, float Usual)[] Inputs =
        [("s_noise", 1), ("r", 0.5f), ("order", 4), ("alpha", 0.6f), ("beta", 0.6f), ("denoise", 1)];

    /// <summary>Takes a sampler's node.</summary>
    public void TakeSampler(JsonElement node)
    {
        string kind = ComfyNodes.Class(node);
        if (kind == "KSamplerSelect" && nodes.Text(node, "sampler_name") is { } name)
        {
            draft.TakeSampler("sampler_name", name);
            return;
        }

        if (!Samplers.TryGetValue(kind, out string? sampler))
        {
            draft.HasSampler = true;
            draft.Skip(Invariant($"node {kind} (painted with Euler a)"));
            return;
        }

        // The solver's second order has a name of its own as a sampler.
        if (nodes.Text(node, "solver_type") == "heun") sampler += "_heun";
        if (nodes.Text(node, "noise_device") == "gpu") sampler += "_gpu";
        draft.TakeSampler(kind, sampler);
        if (nodes.Single(node, "eta") is { } eta) draft.TakeNumber("eta", ComfyNodes.Words(eta), 1, strength => draft.Eta = strength);
        NameUnusual(kind, node);
    }

    /// <summary>Takes a node that gives noise levels, and what follows it.</summary>
    public void TakeSigmas(JsonElement? node)
    {
        for (int i = 0; i < ComfyNodes.LongestChain && node is { } here; i++)
        {
            if (TakeSchedule(here)) return;
            // Nodes that split or turn noise levels.
            draft.Skip($"node {ComfyNodes.Class(here)}");
            node = nodes.Follow(here, "sigmas");
        }
    }

    private bool TakeSchedule(JsonElement node)
    {
        string kind = ComfyNodes.Class(node);
        if (nodes.Whole(node, "steps") is not { } steps) return false;
        draft.Steps = steps;
        if (kind == "SDTurboScheduler")
            TurboTimesteps.Take(draft, $"node {kind}");
        else if (kind == "BasicScheduler")
            draft.TakeSchedule("scheduler", nodes.Text(node, "scheduler") ?? "");
        else if (Schedules.TryGetValue(kind, out string? schedule))
            draft.TakeSchedule(kind, schedule);
        else
            draft.Skip($"node {kind}");
        NameUnusual(kind, node);
        if (nodes.Text(node, "model_type") is { } model && model != "SDXL") draft.Skip($"{kind} model_type: {model}");
        NameSigma(kind, node, "sigma_max", LargestSigma);
        NameSigma(kind, node, "sigma_min", SmallestSigma);
        NameSigma(kind, node, "rho", kind == "KarrasScheduler" ? 7 : 1);
        return true;
    }

    private void NameUnusual(string kind, JsonElement node)
    {
        foreach ((string name, float usual) in Inputs)
            if (nodes.Single(node, name) is { } number && number != usual) draft.Skip(Invariant($"{kind} {name}: {number}"));
    }

    private void NameSigma(string kind, JsonElement node, string name, float usual)
    {
        if (nodes.Single(node, name) is { } number && MathF.Abs(number - usual) > Close)
            draft.Skip(Invariant($"{kind} {name}: {number} (painted with {usual})"));
    }
}
