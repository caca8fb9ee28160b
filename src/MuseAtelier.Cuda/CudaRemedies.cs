namespace MuseAtelier.Cuda;

/// <summary>The remedies for CUDA's errors. CUDA's driver and runtime use the same error numbers.</summary>
internal static class CudaRemedies
{
    public const string InstallDriver = "Install NVIDIA's driver 580 or newer (https://www.nvidia.com/drivers).";

    private const string Unknown = "See that 'nvidia-smi' lists the card. If it does not, install NVIDIA's driver again and restart the "
        + "machine; in a container, start it with the card (--gpus all).";

    private const string NoMemory = "The driver has no memory left to start with. Close other programs that use the card, and see that the "
        + "machine and its container have memory free.";

    /// <summary>The remedy where the driver does not start.</summary>
    /// <param name="code">The driver's number of the error.</param>
    public static string OfStart(int code) => code == 2 ? NoMemory : Find(code) ?? Unknown;

    /// <summary>The remedy for a failed call; null if the error's number alone does not determine it.</summary>
    /// <param name="code">CUDA's number of the error.</param>
    public static string? Find(int code) => code switch
    {
        34 => "The loader finds CUDA's stub of the driver, which is there for linking only. Take the folder 'stubs' out of "
            + "LD_LIBRARY_PATH. " + InstallDriver,
        35 or 36 => InstallDriver + " The one that is there is older than the CUDA libraries.",
        46 => "Another program has the card for itself, or its compute mode forbids use. Close that program, or allow several: "
            + "nvidia-smi -c DEFAULT. A card that is split (MIG) needs an instance: nvidia-smi mig -cgi 0 -C.",
        100 => "Make the card visible: CUDA_VISIBLE_DEVICES, --gpus all for containers. A card that is split (MIG) needs an instance: "
            + "nvidia-smi mig -cgi 0 -C.",
        101 => "CUDA_VISIBLE_DEVICES names a card or a part of one (MIG) that is not there. 'nvidia-smi -L' lists them.",
        102 => "The card is a virtual one (vGPU) without a licence. Ask whoever runs the machine for one.",
        201 => "The card's context is gone. Start the program again.",
        214 => "The card's memory has errors that cannot be corrected. 'nvidia-smi -q -d ECC' shows them; restart the machine, and "
            + "replace the card if they come back.",
        304 or 800 => "This user may not use the card. See that /dev/nvidia* can be read and written (groups 'video' or 'render', the "
            + "container's device rules), and that no security profile forbids it.",
        802 => "The machine's cards are linked by NVSwitch, and its service is not running: systemctl start nvidia-fabricmanager, in the "
            + "driver's version.",
        803 => "The driver's library and its kernel module are of two versions, as after an update. Restart the machine; in a container, "
            + "take out libraries of the driver that were installed inside.",
        804 => "CUDA's forward compatibility libraries (package cuda-compat) do not serve this card. Take their folder 'compat' out of "
            + "LD_LIBRARY_PATH. " + InstallDriver,
        805 or 806 or 807 => "NVIDIA's multi-process service (MPS) does not answer. Start it again (nvidia-cuda-mps-control -d), or stop "
            + "it and unset CUDA_MPS_PIPE_DIRECTORY.",
        999 => "The driver does not say what is wrong. See that its modules are loaded ('sudo nvidia-modprobe -u'); after sleep or an "
            + "update, restart the machine.",
        _ => null,
    };
}
