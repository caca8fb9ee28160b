namespace MuseAtelier.Export.Loras;

/// <summary>What a tensor of a LoRA is to its module.</summary>
internal enum LoraRole
{
    Up,
    Down,
    Mid,
    Alpha,
    Magnitude,
    MagnitudeVector,
    UpBias,
    HadaW1A,
    HadaW1B,
    HadaW2A,
    HadaW2B,
    HadaT1,
    HadaT2,
    LokrW1,
    LokrW1A,
    LokrW1B,
    LokrW2,
    LokrW2A,
    LokrW2B,
    LokrT2,
    A1,
    A2,
    B1,
    B2,
    Difference,
    BiasDifference,
    Replacement,
    Scalar,
    Unsupported,
}

/// <summary>
/// The ends of tensor names in LoRAs. (ComfyUI comfy/weight_adapter, load; comfy/lora.py, load_lora; LyCORIS lycoris/modules; diffusers
/// loaders/lora_conversion_utils.py.)
/// </summary>
internal static class LoraRoles
{
    private static readonly (string End, LoraRole Role)[] Ends =
    [
        (".lora_up.weight", LoraRole.Up),
        (".lora_down.weight", LoraRole.Down),
        (".lora_mid.weight", LoraRole.Mid),
        ("_lora.up.weight", LoraRole.Up),
        ("_lora.down.weight", LoraRole.Down),
        (".lora.up.weight", LoraRole.Up),
        (".lora.down.weight", LoraRole.Down),
        (".lora_linear_layer.up.weight", LoraRole.Up),
        (".lora_linear_layer.down.weight", LoraRole.Down),
        (".lora_B.weight", LoraRole.Up),
        (".lora_A.weight", LoraRole.Down),
        (".lora_B.default.weight", LoraRole.Up),
        (".lora_A.default.weight", LoraRole.Down),
        (".lora_B", LoraRole.Up),
        (".lora_A", LoraRole.Down),
        (".lora_B.bias", LoraRole.UpBias),
        (".lora_up.bias", LoraRole.UpBias),
        (".alpha", LoraRole.Alpha),
        (".dora_scale", LoraRole.Magnitude),
        (".lora_magnitude_vector", LoraRole.MagnitudeVector),
        (".lora_magnitude_vector.weight", LoraRole.MagnitudeVector),
        (".lora_magnitude_vector.default.weight", LoraRole.MagnitudeVector),
        (".hada_w1_a", LoraRole.HadaW1A),
        (".hada_w1_b", LoraRole.HadaW1B),
        (".hada_w2_a", LoraRole.HadaW2A),
        (".hada_w2_b", LoraRole.HadaW2B),
        (".hada_t1", LoraRole.HadaT1),
        (".hada_t2", LoraRole.HadaT2),
        (".lokr_w1", LoraRole.LokrW1),
        (".lokr_w1_a", LoraRole.LokrW1A),
        (".lokr_w1_b", LoraRole.LokrW1B),
        (".lokr_w2", LoraRole.LokrW2),
        (".lokr_w2_a", LoraRole.LokrW2A),
        (".lokr_w2_b", LoraRole.LokrW2B),
        (".lokr_t2", LoraRole.LokrT2),
        (".a1.weight", LoraRole.A1),
        (".a2.weight", LoraRole.A2),
        (".b1.weight", LoraRole.B1),
        (".b2.weight", LoraRole.B2),
        (".diff", LoraRole.Difference),
        (".w_norm", LoraRole.Difference),
        (".diff_b", LoraRole.BiasDifference),
        (".b_norm", LoraRole.BiasDifference),
        (".set_weight", LoraRole.Replacement),
        (".scalar", LoraRole.Scalar),
        (".oft_blocks", LoraRole.Unsupported),
        (".oft_diag", LoraRole.Unsupported),
        (".oft_R.weight", LoraRole.Unsupported),
        (".boft_R", LoraRole.Unsupported),
        (".boft_s", LoraRole.Unsupported),
        (".rescale", LoraRole.Unsupported),
        (".on_input", LoraRole.Unsupported),
        (".reshape_weight", LoraRole.Unsupported),
    ];

    /// <summary>Divides a tensor's name into the module's name and the tensor's role; false for names of another form.</summary>
    public static bool TryDivide(string name, out string module, out LoraRole role)
    {
        int longest = 0;
        module = "";
        role = default;
        foreach ((string end, LoraRole meaning) in Ends)
        {
            if (end.Length <= longest || end.Length >= name.Length || !name.EndsWith(end, StringComparison.Ordinal)) continue;
            longest = end.Length;
            role = meaning;
        }

        if (longest == 0) return false;
        module = name[..^longest];
        // The processor spelling of diffusers joins the module's name and "lora" by an underscore: to_q_lora.up.weight.
        return true;
    }
}
