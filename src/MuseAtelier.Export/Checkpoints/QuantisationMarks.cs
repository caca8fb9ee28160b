namespace MuseAtelier.Export.Checkpoints;

/// <summary>Recognises quantised checkpoints by the tensors that their formats store beside a weight.</summary>
internal static class QuantisationMarks
{
    private static readonly (string Part, string Format)[] Marks =
    [
        (".quant_state.bitsandbytes__nf4", "bitsandbytes NF4 (4 bits)"),
        (".quant_state.bitsandbytes__fp4", "bitsandbytes FP4 (4 bits)"),
        (".absmax", "bitsandbytes 4 bits"),
        (".quant_map", "bitsandbytes 4 bits"),
        (".SCB", "bitsandbytes LLM.int8 (8 bits)"),
        (".wscales", "Nunchaku SVDQuant (4 bits)"),
        (".smooth_factor", "Nunchaku SVDQuant (4 bits)"),
        (".qweight", "GPTQ or AWQ (integers)"),
        (".weight_scale_2", "NVFP4 (4 bits)"),
        (".comfy_quant", "a format of ComfyUI's that is not fp8"),
    ];

    /// <summary>Creates the failure for a file in a quantised format that is not supported; null where no mark of one is found.</summary>
    public static QuantisedCheckpointException? Find(TensorFile file)
    {
        foreach ((string part, string format) in Marks)
        {
            string? tensor = file.Tensors.Keys.FirstOrDefault(name => name.Contains(part, StringComparison.Ordinal));
            if (tensor is not null) return new QuantisedCheckpointException(file.Path, format, tensor);
        }

        return null;
    }
}
